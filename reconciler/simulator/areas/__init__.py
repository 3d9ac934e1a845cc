"""One file for each kind of object: its endpoints, its rules, its refusals.

Every file here with an ``AREA`` is found by folder; adding one needs no edit elsewhere. `groups` is the example.
How an area is written (core modules are imported as ``reconciler.simulator.X``, other areas as ``.X``):

* **Routes.** ``AREA = Area(routes=(Route("GET", "/groups", list_groups), Route("PUT", "/groups/<group_id>", ...)))``.
  Paths stand below ``/api``; ``call.path["group_id"]`` is a variable's value. Anything that is not routed is the text
  404 that the router gives; do not route HEAD or OPTIONS. ``is_open=True`` needs no authentication (then
  ``call.user`` and ``call.account`` do not exist).
* **Handlers** take a `Call` and return JSON data (200), or an `Answer` for another status, headers or an empty body.
  A DELETE returns ``{}``.
* **Bodies.** ``call.body(SHAPE)`` with a `decoding.Struct` gives a dict with every field; absent fields have Go's zero
  value, absent lists, maps and ``Nullable`` ones are None. It refuses with 400 by itself, at the moment it is called,
  so its place among the checks is the handler's choice. ``null_panics=True`` for the handlers that a ``null`` kills.
* **Refusing.** ``raise invalid("...")`` (422), ``not_found`` (404), ``denied`` (403), ``conflict`` (409),
  ``precondition`` (412), ``bad_request`` (400), ``internal`` (500 with a text), ``PlainError()`` (500 ``internal
  server error``), ``Refusal(400, text, verbatim=True)`` where the server does not lower-case. All but the last are
  lower-cased for you. ``with prefixed("failed to ...: "):`` wraps what is raised inside. ``ConnectionDropped`` where
  the handler panics. Nothing is rolled back: check first, write last; write before a check only where the server does.
* **Permissions.** ``call.require("networks", CREATE)``, at the place among the checks where the server asks.
* **Rows.** ``call.account.rows(kind)``, ``.find(kind, id)``, ``.where(kind, key, value)``, ``.save(kind, row)``,
  ``.remove(kind, id)``. A row is plain JSON data under the API's own field names, with ``id``; times are nanoseconds
  (``clock.rfc3339`` shows them, None as Go's zero time). Never change a row in place: save ``{**row, "name": ...}``.
  ``key`` is a field that holds a text, or an index that the area declares in ``AREA.indexes``. Other kinds' tables are
  read the same way; ``world.store.table(kind)`` sees all accounts. A new id: ``call.world.new_id()``.
* **Tables** (rows have the fields of the API unless said): ``accounts`` (``settings``, ``onboarding``), ``users``,
  ``tokens`` (``user_id``, ``hash``), ``invites``, ``groups`` (id, name, issued), ``memberships`` (``group``,
  ``peer``), ``peers``, ``setup_keys``, ``posture_checks``, ``policies`` (ids in ``rules[].sources``), ``jobs``,
  ``events``, ``networks``, ``network_resources`` (``network_id``), ``network_routers`` (``network_id``), ``routes``,
  ``nameserver_groups``, ``dns_settings`` (id of the account), ``zones``, ``zone_records`` (``zone_id``),
  ``identity_providers``, ``proxy_services``, ``proxy_domains``, ``proxy_tokens``, ``proxies`` (those connected),
  ``agent_providers``, ``agent_policies``, ``agent_guardrails``, ``agent_budget_rules``, ``agent_settings``.
* **Groups and peers inside other objects.** ``membership.minimum(account, group)`` is the short form of a group;
  ``call.account.find("groups", id)`` is None for an unknown one. Which network resources a group has is kept as
  ``group_resources`` (``group``, ``resource``, ``type``) only: ``membership.of_resource(account, id)`` are the groups of
  one, ``membership.resources_of`` and ``membership.set_resources`` read and write those of a group. A peer is
  ``find("peers", id)``, its address ``peer["ip"]``, its name in DNS ``addresses.fqdn(account, peer)``.
* **Being referred to.** ``holds_group`` and ``holds_peer`` of the `Area` say what keeps a group or a peer from being
  deleted, ``peer_left`` cleans up after one.
* **Audit.** ``call.audit("network.create", network["id"], name=network["name"])`` after the write, one call for each
  event; the English text of each code stands in ``AREA.activities``.
* **Time.** ``AREA.overdue`` does what time alone brings about; it is called before every request and event.
* **Events.** ``AREA.happenings`` maps the name of a ``POST /_simulator/events`` line to a function of `World` and line.
"""

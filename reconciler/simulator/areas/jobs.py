"""Jobs of a peer (module ``remote_jobs``): debug bundles that a connected client makes and uploads."""

from collections.abc import Mapping
from typing import Any

from reconciler.simulator.call import BAD_JSON, Call
from reconciler.simulator.clock import SECOND, rfc3339
from reconciler.simulator.decoding import BOOL, INT, TEXT, NotJsonError, Pairs, Struct, parse
from reconciler.simulator.errors import Refusal, bad_request, denied, not_found, precondition
from reconciler.simulator.ids import uuid4
from reconciler.simulator.json_faults import kind_of
from reconciler.simulator.permissions import CREATE, READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.versions import at_least
from reconciler.simulator.world import Account, World

PARAMETERS = Struct({"bundle_for": BOOL, "bundle_for_time": INT, "log_file_count": INT, "anonymize": BOOL})
MAX_MINUTES, MAX_FILES = 5, 1000
MIN_VERSION = "0.64.0"
DEVELOPMENT = ("development", "ci-", "dev-")
"""How versions begin that are no releases, and count as the newest."""

UNFINISHED = "unexpected end of JSON input"
LATENCY = SECOND // 20
"""How long a client takes for a job."""

ANSWERS: dict[str, Row] = {
    "fail": {"status": "failed", "failed_reason": "Client error: 'no luck'"},
    "succeed": {"status": "succeeded", "result": {"upload_key": "upload-key"}},
}
"""What becomes of a job by the answer that the peer's job stream was opened with; ``hold`` leaves it pending."""


def list_jobs(call: Call) -> Any:
    """``GET /peers/{id}/jobs``."""
    peer = _peer(call)
    return [view(job) for job in call.account.where("jobs", "peer_id", peer["id"])]


def get_job(call: Call) -> Any:
    """``GET /peers/{id}/jobs/{job}``: under any peer of the account."""
    _peer(call)
    job = call.account.find("jobs", call.path["job_id"])
    if job is None:
        raise not_found(f"job {call.path['job_id']} not found")
    return view(job)


def create_job(call: Call) -> Any:
    """``POST /peers/{id}/jobs``: the peer must have an open job stream; ``connected`` is not enough."""
    parameters = _parameters(call)
    call.require("remote_jobs", CREATE)
    peer = call.account.find("peers", call.path["peer_id"])
    if peer is None:
        raise not_found(f"peer not found: {call.path['peer_id']}")
    if not _supports_jobs(peer["version"]):
        raise precondition(
            f"peer version {peer['version']} does not meet the minimum required version {MIN_VERSION} for remote jobs"
        )
    if not peer.get("job_stream"):
        raise bad_request("peer not connected")
    if any(job["status"] == "pending" for job in call.account.where("jobs", "peer_id", peer["id"])):
        raise bad_request("peer already has pending job")
    now = call.world.now()
    job = {"id": uuid4(), "peer_id": peer["id"], "created_at": now, "status": "pending", "parameters": parameters}
    job |= {"triggered_by": call.user["id"], "result": {}, "answer": peer["job_stream"], "due": now + LATENCY}
    call.account.save("jobs", job)
    call.audit("peer.job.create", peer["id"], for_peer_name=peer["name"], job_type="bundle")
    return view(job)


def open_stream(world: World, line: Mapping[str, Any]) -> Any:
    """``peer_jobs`` ``{hostname, answer}``: a client takes jobs, and will ``hold``, ``fail`` or ``succeed``."""
    for peer in world.store.table("peers").where("machine", line["hostname"]):
        world.account(peer["account_id"]).save("peers", {**peer, "job_stream": line["answer"]})
    return {"job_stream": line["answer"]}


def finish(world: World) -> None:
    """Let clients answer the jobs that they have had long enough."""
    for job in world.store.table("jobs").where("status", "pending"):
        if job["answer"] in ANSWERS and job["due"] <= world.now():
            done = {**job, **ANSWERS[job["answer"]], "completed_at": world.now()}
            world.account(job["account_id"]).save("jobs", done)


def view(job: Row) -> Row:
    """The job as the API shows it."""
    workload = {"type": "bundle", "parameters": job["parameters"], "result": job["result"]}
    shown: Row = {name: job[name] for name in ("id", "status", "triggered_by", "failed_reason") if name in job}
    times: Row = {name: rfc3339(job[name]) for name in ("created_at", "completed_at") if name in job}
    return {**shown, **times, "workload": workload}


def _parameters(call: Call) -> Row:
    """The parameters of the bundle that the body asks for, checked."""
    workload = _workload(call)
    kind = _field(workload, "type")
    if kind is not None and not isinstance(kind, str):
        given = kind_of(dict(kind)) if isinstance(kind, Pairs) else kind_of(kind)
        raise bad_request(_undetermined(f"json: cannot unmarshal {given} into Go struct field .type of type string"))
    if not kind:
        raise bad_request("job type is required")
    kind = TEXT.read(kind, "")
    if kind != "bundle":
        raise bad_request(f"unsupported job type: {kind}")
    try:
        parameters: Row = PARAMETERS.read(_field(workload, "parameters"), PARAMETERS.zero())
    except NotJsonError:
        raise bad_request("invalid parameters for bundle job") from None
    minutes, files = parameters["bundle_for_time"], parameters["log_file_count"]
    if parameters["bundle_for"] and not 1 <= minutes <= MAX_MINUTES:
        raise bad_request(f"bundle_for_time must be between 1 and {MAX_MINUTES}, got {minutes}")
    if not 1 <= files <= MAX_FILES:
        raise bad_request(f"log-file-count must be between 1 and {MAX_FILES}, got {files}")
    return parameters


def _workload(call: Call) -> Pairs:
    try:
        body = parse(call.request.get_data())
    except NotJsonError:
        raise Refusal(400, BAD_JSON, verbatim=True) from None
    if body is not None and not isinstance(body, Pairs):
        raise Refusal(400, BAD_JSON, verbatim=True)
    workload = _field(body or Pairs(), "workload", missing=UNFINISHED)
    if workload is UNFINISHED:
        raise bad_request(_undetermined(UNFINISHED))
    if workload is None:
        return Pairs()
    if not isinstance(workload, Pairs):
        target = 'Go value of type struct { Discriminator string "json:\\"type\\"" }'
        raise bad_request(_undetermined(f"json: cannot unmarshal {kind_of(workload)} into {target}"))
    return workload


def _undetermined(why: str) -> str:
    return f"could not determine job type: {why}"


def _field(pairs: Pairs, name: str, missing: str | None = None) -> Any:
    """The last value of a key, in any letter case."""
    return next((value for key, value in reversed(pairs) if key.casefold() == name), missing)


def _supports_jobs(version: str) -> bool:
    return version.startswith(DEVELOPMENT) or at_least(version.split("-", 1)[0], MIN_VERSION)


def _peer(call: Call) -> Row:
    """The peer: permission, existence, account."""
    peer = call.world.store.table("peers").get(call.path["peer_id"])
    call.require("remote_jobs", READ)
    if peer is None:
        raise not_found(f"peer {call.path['peer_id']} account not found")
    if peer["account_id"] != call.account.id:
        raise denied("peer is not part of this account")
    return peer


def _forget(account: Account, peer: Row) -> None:
    for job in account.where("jobs", "peer_id", peer["id"]):
        account.remove("jobs", job["id"])


AREA = Area(
    routes=(
        Route("GET", "/peers/<peer_id>/jobs", list_jobs),
        Route("POST", "/peers/<peer_id>/jobs", create_job),
        Route("GET", "/peers/<peer_id>/jobs/<job_id>", get_job),
    ),
    activities={"peer.job.create": "Create Job for peer"},
    happenings={"peer_jobs": open_stream},
    peer_left=_forget,
    overdue=finish,
)

"""The live account as the files that a careful person would have written.

A plan straight after an export is empty, also with `manage: {default: full}`. What is written, and what is not:

- Sections in the order of references, names in the order of the alphabet, references by name, one line for what is small.
- Left out: defaults; what the server or somebody else keeps (group `All`, groups of the identity provider, the owner, the
  caller, the token in use, policies of temporary access, ephemeral peers); ids, unless only an id can tell an object from
  another one that the server keeps; secrets, which cannot be read.
- Fields that are kept when they are left out are written where somebody has chosen them: members of a group unless they come
  with somebody's `auto_groups` (of a user, service user or setup key) or some of them are ephemeral; role and groups of
  people; of settings and peers only what is not as in a new account or on a new peer. A kind that is asked for by name is
  written with all its settings.
- How long a key or token was to last when it was made is written, since it is what a new one would get.
- What no file can declare stands under `unmanaged`, each with its reason: several rules, shared names, references to what
  is gone, values that the language refuses. A kept field that cannot be written is left out, with a comment.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.api.client import ReadApi
from reconciler.errors import Diagnostic, UsageError
from reconciler.export.layout import head, sections
from reconciler.export.names import names_of
from reconciler.export.survey import survey
from reconciler.export.wish import Wish, wish
from reconciler.export.yaml import Block, document
from reconciler.state.observe import observe_all
from schemas._core.document import LAST

__all__ = ["Export", "Wish", "export_account", "wish"]

HEAD = "nbsync"
"""Name of the file with the root keys that belong to no kind."""


@dataclass(frozen=True, slots=True)
class Export:
    """An account in the words of files.

    Attributes:
        told: how many mappings were written.
        untold: how many objects no file can declare; they are listed under `unmanaged`.
        server_version: as the server says, or None if it does not.
    """

    head: Block
    sections: Block
    told: int
    untold: int
    server_version: str | None

    def as_one(self) -> str:
        """The text of one file with everything."""
        head = {key: value for key, value in self.head.items() if key not in LAST}
        last = {key: value for key, value in self.head.items() if key in LAST}
        root = Block({**head, **self.sections, **last})
        root.comments = {**self.head.comments, **self.sections.comments}
        return document(root)

    def as_files(self) -> dict[str, str]:
        """Texts of files by name: one for each root key, and one for what belongs to no kind."""
        texts = {f"{HEAD}.yaml": document(self.head)}
        for key, value in self.sections.items():
            alone = Block({key: value})
            alone.comments = {key: self.sections.comments.get(key, [])}
            texts[f"{key}.yaml"] = document(alone)
        return texts


def export_account(api: ReadApi, asked: Wish) -> Export:
    """Read an account and put it into the words of files.

    Raises:
        AccountError: the server did not answer, refused, or answered something else than NetBird's objects.
        UsageError: nothing is there of what is asked for by address.
    """
    snapshot = observe_all(api, asked.to_read(), asked.needed())
    telling = survey(names_of(snapshot, asked.registry), asked)
    if asked.patterns and not telling.told and not telling.untold:
        advice = "an address is KIND/KEY, such as policy/dev-to-erp; a pattern has * or ? in it"
        raise UsageError(Diagnostic("NBS901", f"the account has nothing that is {' or '.join(asked.patterns)}", advice))
    return Export(
        head(telling, asked, api.server),
        sections(telling, asked),
        len(telling.told),
        telling.objects_untold,
        snapshot.server_version,
    )

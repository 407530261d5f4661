"""Which names imported events may bear; as SQL over a text field. The rules are those of
`bough.vocabulary.event_names`.

A name is counted as it is written, letter by letter. `purchase`, `Install` and `INSTALL ` would be events of their own
beside PURCHASE and INSTALL, found by nobody, so they are refused and told how they are written.
"""

from __future__ import annotations

from typing import Final

from bough.vocabulary.event_names import BUILT_IN, MAX_NAME
from bough.warehouse.quoting import text

_BLANKS: Final = r"[\s\p{Z}]+"
_CONTROLS: Final = r"[\p{Cc}\p{Zl}\p{Zp}]"


def name_faults(field: str) -> tuple[tuple[str, str], ...]:
    """(condition, sentence) of what a name may not be, both SQL; the first that holds counts."""
    exact = f"{field} IN ({', '.join(text(name) for name in sorted(BUILT_IN.values()))})"
    # most names are printable ASCII without blanks around them, and need none of the searches
    odd = f"NOT regexp_full_match({field}, '[!-~]([ -~]*[!-~])?')"
    seen = rf"regexp_replace({field}, '\p{{Cf}}', '', 'g')"
    bare = f"regexp_replace({seen}, '^{_BLANKS}|{_BLANKS}$', '', 'g')"
    plain = f"lower(CASE WHEN {odd} THEN {bare} ELSE {field} END)"
    cases = " ".join(f"WHEN {text(key)} THEN {text(name)}" for key, name in sorted(BUILT_IN.items()))
    return (
        (f"{field} IS NULL", text("name: is missing")),
        (f"length({field}) > {MAX_NAME}", text(f"name: longer than {MAX_NAME} characters")),
        (
            f"{odd} AND ({plain} = '' OR regexp_matches({field}, '{_CONTROLS}'))",
            f"CASE WHEN {plain} = '' THEN 'name: is missing' ELSE 'name: holds control characters' END",
        ),
        (
            f"NOT {exact} AND {plain} IN ({', '.join(map(text, sorted(BUILT_IN)))})",
            f"'name: the built-in event must be written ' || CASE {plain} {cases} END || ', letter by letter'",
        ),
    )

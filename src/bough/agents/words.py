"""What gives a robot away in a string that a person's browser or app could have sent.

A name belongs here when the public list lacks it, or has not seen it on a browser's string, and its words say nothing.
"""

from __future__ import annotations

from bough.agents.patterns import holds

_SAYS_SO = (
    r"(?i)[(;]\s*compatible\s*[;,)]|\bcompatible;|https?:/|\bmailto:|[\w.+-]@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b|"
    r"KHTML,? like Gecko(?:;\s*|\s+|,\s*(?:Google|Mediapartners|compatible))[^,)][^)]*\)|\bGoogle-[A-Z]|"
    r"\$\{|<[a-z/!?]|'\s*\+|\bselect \w"
)
"""What no browser writes: a second name as `compatible`, an address to complain to, a remark on its engine, or an
attack on the log's reader."""

_NAMES = (
    r"(?i)thirdLandingPage|wechatdevtools|qcloudcdn|GoogleMessages/|DuplexWeb|Storebot|"
    r"Barracuda Sentinel|Proofpoint|Mimecast|SafeLinks|TrendMicro|"
    r"Neustar WPM|Catchpoint|Rigor|PTST|Splunk|iplabel|DebugBear|DareBoost|GTmetrix|StatusCake|PingdomTMS|"
    r"Cypress/|DejaClick|Site24x7|DMBrowser|HLB/\d|Convertify|Functionize|Assetnote|OneTrust|wkhtmlto|webkit2png|"
    r"mShots|ips-agent"
)
"""Preloaders and link previews, mail scanners, synthetic monitors, checkers and picture takers."""

_PURPOSE = (
    r"(?i)bots?(?:[^a-z]|$)|crawl|spider|slurp|scrap(?:e|ing|y)|pre-?view|pre-?fetch|pre-?load|expander|monitor|"
    r"external(?:hit|ua|ads)|proxy(?:[^a-z]|$)|check(?:er|ing)?(?:[^a-z]|$)|scan(?:s|ner|ning)?(?:[^a-z]|$)|verif|"
    r"validat|archiv|thumb|snapshot|screenshot|screenie|webshot|web-capture|synthetic|observatory|diagnostic|"
    r"analy[sz]er|inspector|fetch|transcoder|classifi|collector|survey|measurement|probe|audit|headless"
)
"""Words of a name that say what it is for: to look ahead, to check, to show a preview."""

_STRANGE = (
    r"(?i)agent(?:[^a-z]|$)|Unknown; Linux x86|\bwww\.|[a-z-]{3}\.(?:com|org|net|io|co|eu|us|at|party)(?:[^\w./-]|$)"
)
"""What else no full browser writes: an agent's name, the name of a web site, a Linux without a desktop."""

_REACHED_AT = (
    r"(?i)\+https?:/|\bmailto:|[\w.+-]@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b|\bGoogle-[A-Z]|"
    r"\$\{|<[a-z/!?]|\bselect \w"
)
"""Where a program's owner can be reached, as robots write it; an HTTP library writes its address without the `+`."""

gives_away_an_app = holds(_SAYS_SO, _NAMES)
"""Asked of apps, which may call themselves as they like: `Spider Solitaire`, `QR Scanner`, `Price Checker`."""

gives_away_a_browser = holds(_SAYS_SO, _NAMES, _PURPOSE, _STRANGE)
"""Asked of full browsers, which have names of their own."""

gives_away_a_program = holds(_REACHED_AT, _NAMES, _PURPOSE)
"""Asked of what is no browser."""

"""Words that say that an authentication failed, as regular expressions, in any case.

An environment may say others (`access.failed_words`). A parser's "invalid token" is no failed authentication.
"""

FAILED_WORDS = (
    r"auth(?:entication|orization)?(?: has| attempt| request)?[ _.-]?fail(?:ed|ure)",
    r"(?:could not|cannot|unable to) (?:authenticate|log in|validate credentials)\b",
    r"(?:maximum|too many) authentication (?:attempts|failures)",
    r"fail(?:ed|ure)[ _.-](?:to[ _.-])?(?:auth(?:enticate|entication)?|log[ _.-]?[io]n|password)\b",
    r"log[ _.-]?in[ _.-]fail(?:ed|ure)",
    r"(?:invalid|wrong|bad|incorrect|expired)[ _.-](?:[\w-]+(?: name)? (?:or|and) )?(?:credentials?|password)\b",
    r"(?:invalid|wrong|bad|incorrect|expired)[ _.-](?:api|access|auth|bearer|jwt|session)[ _.-]?(?:token|key)\b",
    r"\b(?:jwt|token) (?:validation|verification) failed\b",
    r"\bunauthori[sz]ed (?:access|login|request)\b",
    r"password mismatch",
    r"\binvalid user \S+ from\b",
    r"\bno pg_hba\.conf entry for\b",
    r"\b(?:wrongpass|noauth)\b",
    r"no user/password was provided",
    r'user "[^"]*" was not found in "',
)

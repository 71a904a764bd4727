"""Failed authentications and rate limits in log lines: what counts, and by whom."""

from collections import Counter

import pytest

from docrag_ops.core.logs.access import (
    MOST_SOURCES,
    OTHERS,
    UNKNOWN_SOURCE,
    AccessCounts,
    AccessReader,
)
from docrag_ops.core.logs.access_signs import failures, limits
from docrag_ops.core.logs.addresses import address_in
from docrag_ops.core.logs.blocks import LONGEST_LINE, whole_lines

STAMP = "2026-11-25T03:00:00.000000001Z"
NGINX = '2026/11/25 03:00:00 [error] 29#29: *17 {}, client: {}, server: x, request: "GET /a?b=auth%20failed HTTP/1.1"'
ACCESS = '{} - {} [25/Nov/2026:03:00:00 +0000] "{}" {} 169 "-" "auth failed/1.0"'


def counts(*lines: str, cut: int = 0) -> AccessCounts:
    block = "".join(f"{STAMP} {line}\n" for line in lines).encode()
    found = AccessCounts()
    pieces = [block[at : at + cut] for at in range(0, len(block), cut)] if cut else [block]
    AccessReader().read(pieces, found)
    return found


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ('{"level":"warning","message":"auth failed","client":"203.0.113.7:51234"}', "203.0.113.7"),
        ('{"msg":"Login failed","client_ip":"203.0.113.7"}', "203.0.113.7"),
        ('{"event":"auth.failed","http":{"client_ip":"203.0.113.7"}}', "203.0.113.7"),
        ('{"message":"invalid credentials","client":{"ip":"203.0.113.7"}}', "203.0.113.7"),
        ('{"event":{"action":"authentication_failure"},"source":{"ip":"2001:db8::7"}}', "2001:db8::7"),
        ('{"message":"auth failed","x_forwarded_for":"203.0.113.7, 10.0.0.1"}', "203.0.113.7"),
        ('{"message":"auth failed for bob from 203.0.113.7"}', "203.0.113.7"),
        ("WARN auth: Authentication failed for user bob from 203.0.113.7 port 22", "203.0.113.7"),
        ("2026-11-25 03:00:00,123 - api.auth - WARNING - AUTH FAILED ip=203.0.113.7", "203.0.113.7"),
        ('level=warn msg="auth failure" remote=[2001:db8::7]:4711 user=bob', "2001:db8::7"),
        ("INFO api: could not authenticate 203.0.113.7: expired access token", "203.0.113.7"),
        ("Failed password for root from 203.0.113.7 port 5022 ssh2", "203.0.113.7"),
        ('FATAL:  password authentication failed for user "docrag"', UNKNOWN_SOURCE),
        ('FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "a", database "b"', "203.0.113.7"),
        ('{"message":"password authentication failed for user","remote_host":"203.0.113.7"}', "203.0.113.7"),
        ("Invalid user admin from 203.0.113.7 port 40022", "203.0.113.7"),
        ("error: maximum authentication attempts exceeded for root from 203.0.113.7 port 1", "203.0.113.7"),
        ('{"message":"Unauthorized access attempt","ip":"203.0.113.7"}', "203.0.113.7"),
        ("WARN JWT validation failed: Signature has expired, ip=203.0.113.7", "203.0.113.7"),
        ("WRONGPASS invalid username-password pair or user is disabled.", UNKNOWN_SOURCE),
        ('{"msg":"cache is off","error":"NOAUTH Authentication required."}', UNKNOWN_SOURCE),
        ('{"msg":"request refused","detail":"Could not validate credentials","ip":"::1"}', "::1"),
        ("WARNING: Incorrect username or password, client 203.0.113.7", "203.0.113.7"),
        ("invalid e-mail or password (203.0.113.7)", "203.0.113.7"),
        ("ERROR failed to authenticate: invalid API key (10.0.0.4 -> 203.0.113.7)", "10.0.0.4"),
        (NGINX.format('user "bob": password mismatch', "203.0.113.7"), "203.0.113.7"),
        (NGINX.format('user "bob" was not found in "/etc/nginx/.htpasswd"', "203.0.113.7"), "203.0.113.7"),
        (
            NGINX.format("no user/password was provided for basic authentication", "203.0.113.7"),
            "203.0.113.7",
        ),
    ],
)
def test_line_that_says_so_is_a_failure_of_its_source(line: str, source: str):
    assert counts(line).failed == {source: 1}


@pytest.mark.parametrize(
    "line",
    [
        '{"message":"request","path":"/documents/auth failed","status":200,"client":"203.0.113.7"}',
        '{"message":"document indexed","title":"Why the login failed","client":"203.0.113.7"}',
        ACCESS.format("203.0.113.7", "-", "GET /login?next=auth-failed HTTP/1.1", 200),
        "stats auth_failed=0 auth_ok=12",
        '{"message":"auth failed: 0 in the last minute"}',
        NGINX.format("open() failed (2: No such file or directory)", "203.0.113.7"),
        "INFO the author failed the exam",
        "authenticated user bob from 203.0.113.7",
        '{"message":"request body refused","error":"invalid token at line 3"}',
        "ERROR parsing failed: invalid token '<'",
    ],
)
def test_line_that_only_holds_the_words_is_none(line: str):
    assert counts(line).failed == {}


def test_own_words_are_looked_for_in_every_line():
    found = AccessCounts()
    AccessReader(("anmeldung ungültig",)).read([f"{STAMP} Anmeldung ungültig: 203.0.113.7\n".encode()], found)
    assert found.failed == {"203.0.113.7": 1}


@pytest.mark.parametrize(
    "what",
    ['limiting requests, excess: 5.3 by zone "api"', 'limiting connections by zone "addr"'],
)
def test_request_that_nginx_refuses_is_counted_by_client(what: str):
    assert counts(NGINX.format(what, "203.0.113.7")).limited == {"203.0.113.7": 1}


@pytest.mark.parametrize(
    "what",
    ['limiting requests, dry run, excess: 5.3 by zone "api"', 'delaying request, excess: 0.3, by zone "api"'],
)
def test_request_that_nginx_lets_through_is_not_refused(what: str):
    found = counts(NGINX.format(what, "203.0.113.7"))
    assert (found.limited, found.not_refused) == ({}, 1)


@pytest.mark.parametrize(
    "line",
    [
        ACCESS.format("203.0.113.7", "-", "GET / HTTP/1.1", 429),
        ACCESS.format("203.0.113.7", "a user with spaces", 'GET /\\"x HTTP/1.1', 429),
        ACCESS.format("203.0.113.7", "-", "\\x16\\x03\\x01", 429),
        'INFO:     203.0.113.7:51234 - "GET /documents/1 HTTP/1.1" 429 Too Many Requests',
        '{"message":"request","status":429,"client":"203.0.113.7"}',
        '{"remote_addr":"203.0.113.7","status":"429","request":"GET / HTTP/1.1"}',
        '{"source":{"address":"203.0.113.7"},"http":{"response":{"status_code":429}}}',
    ],
)
def test_answers_are_counted_by_client(line: str):
    assert counts(line).answers[429] == {"203.0.113.7": 1}


@pytest.mark.parametrize(
    "line",
    [
        '2026-11-25T03:00:00.1Z INFO actix_web::middleware::logger: 203.0.113.7 "GET /c HTTP/1.1" 401 49 "-" "c" 0.1',
        '[2026-11-25T03:00:00.1Z] "GET /c HTTP/2" 401 - 0 49 1 "203.0.113.7" "curl" "203.0.113.7"',
        '[25/Nov/2026:03:00:00 +0000] 203.0.113.7 "POST /c HTTP/1.1" 401',
    ],
)
def test_answers_in_other_formats_are_counted(line: str):
    assert counts(line).answers[401] == {"203.0.113.7": 1}


@pytest.mark.parametrize(
    "line",
    [
        ACCESS.format("10.0.0.1", "-", "GET / HTTP/1.1", 401) + ' "1.2.3.4, 203.0.113.7, 10.0.0.9"',
        '{"remote_addr":"10.0.0.1","status":401,"http_x_forwarded_for":"203.0.113.7"}',
        '{"remote_addr":"203.0.113.7","status":401,"http_x_forwarded_for":"1.2.3.4"}',
        '{"res":{"statusCode":401},"remoteAddress":"203.0.113.7"}',
    ],
)
def test_client_is_who_our_proxy_passed_on_and_not_who_the_client_says(line: str):
    assert counts(line).answers[401] == {"203.0.113.7": 1}


def test_status_in_another_place_is_none():
    line = '{"message":"request","status":200,"duration_ms":429,"client":"203.0.113.7"}'
    assert counts(line, ACCESS.format("203.0.113.7", "-", "GET /429 HTTP/1.1", 200)).answers[429] == {}


@pytest.mark.parametrize("cut", [1, 7, 64, 4096])
def test_pieces_may_be_cut_anywhere(cut: int):
    lines = [f'{{"message":"auth failed","client":"203.0.113.{n}"}}' for n in range(20)]
    found = counts(*lines, "request done", cut=cut)
    assert (found.lines, found.failed.total(), len(found.failed)) == (21, 20, 20)
    assert found.first_at == found.last_at == STAMP


def test_line_without_an_end_is_kept_by_its_beginning():
    blocks = list(whole_lines([b"x" * LONGEST_LINE, b"y" * LONGEST_LINE, b"\nnext\n"]))
    assert [len(block) for block in blocks] == [LONGEST_LINE + 1, 5] or blocks[-1] == b"next\n"
    assert sum(map(len, blocks)) < 2 * LONGEST_LINE + 10


def test_what_the_kubelet_says_is_no_line():
    found = AccessCounts()
    AccessReader().read([b"unable to retrieve container logs for containerd://2f7e\n"], found)
    assert (found.lines, found.complaint) == (0, "unable to retrieve container logs for containerd://2f7e")


def test_sources_beyond_a_number_are_counted_together():
    found = AccessCounts()
    block = "".join(
        f'{STAMP} {{"message":"auth failed","client":"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"}}\n'
        for n in range(MOST_SOURCES + 5)
    )
    AccessReader().read([block.encode()], found)
    assert (len(found.failed), found.failed[OTHERS]) == (MOST_SOURCES + 1, 5)


@pytest.mark.parametrize("text", ["", "-", "unix:", "localhost", "999.1.1.1", "12:34:56"])
def test_what_is_no_address_is_none(text: str):
    assert address_in(text) == ""


def test_mapped_address_is_the_address():
    assert address_in("::ffff:203.0.113.7") == "203.0.113.7"


def test_failure_that_two_logs_answered_is_counted_once():
    api = counts('{"message":"request","status":401,"client":"203.0.113.7"}')
    front = counts(ACCESS.format("203.0.113.7", "-", "GET / HTTP/1.1", 401))
    found = failures([("api/api", api), ("nginx/nginx", front)])
    assert (found.total, found.by) == (1, "answers 401 in access logs")


def test_same_event_is_not_counted_twice():
    line = '{"message":"auth failed","status":401,"client":"203.0.113.7"}'
    front = ACCESS.format("203.0.113.7", "-", "GET / HTTP/1.1", 401)
    found = failures([("api/api", counts(*[line] * 3)), ("nginx/nginx", counts(*[front] * 3))])
    assert (found.total, found.by) == (3, "messages")


def test_one_message_does_not_hide_many_answers():
    other = counts('FATAL:  password authentication failed for user "docrag"')
    front = counts(*[ACCESS.format("203.0.113.7", "-", "GET / HTTP/1.1", 401)] * 300)
    found = failures([("postgres/postgres", other), ("nginx/nginx", front)])
    assert found.sources == {"203.0.113.7": 300}


def users(count: int) -> list[str]:
    return [ACCESS.format(f"203.0.{n >> 8}.{n & 255}", "-", "GET / HTTP/1.1", 401) for n in range(count)]


BEHIND_A_PROXY = [
    '{"message":"request","status":401,"client":"10.244.1.7"}',
    '{"message":"auth failed","client":"10.244.1.7"}',
]


@pytest.mark.parametrize("line", BEHIND_A_PROXY, ids=["answers", "messages"])
@pytest.mark.parametrize("seen", [1200, 1100])
def test_users_are_not_one_address_to_who_is_behind_their_proxy(line: str, seen: int):
    api, front = counts(*[line] * 1200), counts(*users(seen))
    for order in ([("api/api", api), ("nginx/nginx", front)], [("nginx/nginx", front), ("api/api", api)]):
        found = failures(order)
        assert (len(found.sources), found.sources["10.244.1.7"]) == (seen, 0)


@pytest.mark.parametrize("line", BEHIND_A_PROXY, ids=["answers", "messages"])
def test_address_of_an_attacker_behind_two_proxies_of_ours_is_kept(line: str):
    attacker = [ACCESS.format("203.0.113.66", "-", "GET / HTTP/1.1", 401)] * 1200
    behind = [line, line.replace("10.244.1.7", "10.244.2.9")] * 600
    found = failures([("api/api", counts(*behind)), ("nginx/nginx", counts(*attacker))])
    assert found.sources == {"203.0.113.66": 1200}


def test_where_all_addresses_are_private_the_most_of_them_count():
    front = counts(*(line.replace("203.0.0.", "192.168.7.") for line in users(200)))
    found = failures([("api/api", counts(*BEHIND_A_PROXY[:1] * 200)), ("nginx/nginx", front)])
    assert len(found.sources) == 200


def test_who_sees_far_fewer_events_does_not_say_whose_they_are():
    line = '{"message":"auth failed","client":"203.0.113.66"}'
    found = failures([("api/api", counts(*[line] * 1200)), ("nginx/nginx", counts(*users(1000)))])
    assert found.sources == {"203.0.113.66": 1200}


def test_log_that_gives_addresses_counts_before_one_that_gives_none():
    silent = counts(*['FATAL:  password authentication failed for user "docrag"'] * 100)
    front = counts(*[ACCESS.format("203.0.113.66", "-", "GET / HTTP/1.1", 401)] * 95)
    assert failures([("api/api", silent), ("nginx/nginx", front)]).sources == {"203.0.113.66": 95}


def test_what_has_no_address_is_no_address():
    said = AccessCounts(failed=Counter({"203.0.113.7": 1, UNKNOWN_SOURCE: 2, OTHERS: 3}))
    found = failures([("api/api", said)])
    assert found.addresses == {"203.0.113.7": 1}
    assert found.without_address == {UNKNOWN_SOURCE: 2, OTHERS: 3}
    assert found.total == 6


def test_answers_of_all_pods_of_a_container_are_added():
    front = counts(ACCESS.format("203.0.113.7", "-", "GET / HTTP/1.1", 429))
    found = limits([("nginx/nginx", front), ("nginx/nginx", front)])
    assert found.sources == {"203.0.113.7": 2}


@pytest.mark.parametrize(
    "hostile",
    [
        '{"message":"auth \\ud800 failed \\u0000","client":"\\ud800"}',
        '{"status":' + "4" * 5000 + ',"message":"auth"}',
        '{"status":"' + "4" * 5000 + '","message":"auth"}',
        '{"message":' + "[" * 20_000 + '"auth failed"',
        '{"message":["auth failed"],"client":{"ip":null}}',
        "203.0.113.7 - - " + "[auth " * 5000 + '"GET / HTTP/1.1" 429 1',
        "\x00\udcff auth",
    ],
    ids=["surrogates", "number", "digits", "nesting", "list", "brackets", "bytes"],
)
def test_hostile_line_does_not_stop_the_reading(hostile: str):
    block = f'{STAMP} {hostile}\n{STAMP} {{"message":"auth failed","client":"203.0.113.7"}}\n'
    found = AccessCounts()
    AccessReader().read([block.encode("utf-8", "surrogateescape")], found)
    assert (found.lines, found.failed["203.0.113.7"]) == (2, 1)


def test_size_of_what_was_read_is_known():
    assert counts("one", "two", cut=7).size_bytes == len(f"{STAMP} one\n{STAMP} two\n")

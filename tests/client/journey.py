"""The whole way with the generated client: from an empty installation to an approved commission.

    python3 journey.py DIRECTORY_OF_THE_CLIENT ADMIN_URL EDGE_URL KEY

Ends with status 0 when all is as it should be.
"""

import sys
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlparse

sys.path.insert(0, sys.argv[1])
from tributary import Client, Problem  # noqa: E402

ADMIN, EDGE, KEY = sys.argv[2:5]
client = Client(ADMIN, KEY)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def refused(ask):
    """The problem that a request meets."""
    try:
        ask()
    except Problem as problem:
        return problem
    raise AssertionError("it was not refused")


def eventually(look):
    """What `look` finds, once it finds something."""
    for _ in range(400):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it does not happen")


def click(code):
    """Where a click lands; nothing as long as the edge does not know the link."""
    request = urllib.request.Request(EDGE + "/c/" + code, headers={"User-Agent": "Mozilla/5.0", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    try:
        urllib.request.build_opener(Stay).open(request)
    except urllib.error.HTTPError as answer:
        return answer.headers["Location"] if answer.code == 302 else None


def catalogue():
    advertiser = client.advertisers_create({"name": "Shop", "currency": "USD", "timezone": "Europe/Berlin"})
    affiliate = client.affiliates_create({"name": "Blog", "email": "blog@mail.example"})
    program = client.programs_create({
        "advertiser_id": advertiser["id"],
        "name": "Everything",
        "landing_url": "https://shop.example/",
        "plan": {"kind": "percent", "rate": "10"},
    })
    code = client.tracking_codes_create({"program_id": program["id"], "name": "Thanks"})
    link = client.links_create({"program_id": program["id"], "affiliate_id": affiliate["id"]})
    return affiliate, program, code, link


def changes_only_what_it_saw(affiliate):
    seen = client.affiliates_show(affiliate["id"])
    changed = client.affiliates_update(affiliate["id"], {"name": "Weblog"}, if_match=seen.etag)
    assert changed["name"] == "Weblog" and changed.etag != seen.etag
    assert client.affiliates_show(affiliate["id"], if_none_match=changed.etag) is None
    late = refused(lambda: client.affiliates_update(affiliate["id"], {"name": "Late"}, if_match=seen.etag))
    assert (late.status, late.code) == (412, "precondition_failed"), late


def sells(code, link):
    landed = eventually(lambda: click(link["code"]))
    token = parse_qs(urlparse(landed).query)["tclid"][0]
    with urllib.request.urlopen(code["pixel_url"] + "?amount=19.95&id=11001&tclid=" + token) as answer:
        assert answer.headers["Tributary-Outcome"] == "accepted", answer.headers
    return eventually(lambda: client.conversions_index(order_id="11001")["data"])[0]


def main():
    affiliate, program, code, link = catalogue()
    changes_only_what_it_saw(affiliate)

    sale = sells(code, link)
    assert sale["commission"] == {"amount": "2.00", "currency": "USD"}, sale
    assert client.conversions_approve(sale["id"])["status"] == "payable"
    late = refused(lambda: client.conversions_approve(sale["id"], if_match='"of-before"'))
    assert late.status == 412, late
    report = client.report_commissions(group_by="program")
    assert report["data"][0]["program"] == program["id"], report
    assert report["totals"][0]["commission"]["payable"]["amount"] == "2.00", report
    assert client.report_commissions(format="csv").startswith('"day","currency",')

    made = [client.coupons_create({"program_id": program["id"], "affiliate_id": affiliate["id"], "code": f"C{n}"})["id"] for n in range(7)]
    listed = [coupon["id"] for coupon in client.coupons_index_all(limit=2, program_id=program["id"])]
    assert listed == made[::-1], listed
    plans = [plan["version"] for plan in client.plans_index_all(id=program["id"])]
    assert plans == [1], plans

    wrong = refused(lambda: client.links_create({"program_id": program["id"], "destination": "/here"}))
    assert (wrong.status, wrong.code) == (422, "invalid_fields"), wrong
    assert set(wrong.errors) == {"/affiliate_id", "/destination"}, wrong.errors
    nobody = refused(lambda: Client(ADMIN, "nobody").programs_index())
    assert (nobody.status, nobody.code) == (401, "unauthorized"), nobody
    print("the whole way was gone")


main()

"""What no schema can say, kept out of the requests that are to be accepted."""

import itertools
import re
from datetime import date, datetime, timedelta

import schemathesis

DATE = re.compile(r"\d{4}-\d\d-\d\d")
FINE = re.compile(r"(\d{1,12})\.\d{1,4}")
NUMBER = re.compile(r"\d{1,12}(\.\d{1,4})?")
KEY = re.compile(r'[!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}"')
TOMORROW = (date.today() + timedelta(days=1)).isoformat()
counter = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        # One that was used for another call is refused.
        headers["Idempotency-Key"] = f"attack-{next(counter)}"
    query = case.query or {}
    if "month" in query and case.path.endswith("/statements"):
        # Only an affiliate needs not say whose.
        query.setdefault("affiliate_id", "1")
    if str(query.get("to")) <= str(query.get("from")):
        query.pop("to", None)
    if case.method == "POST" and case.path.endswith("/reconciliations"):
        # A list has a column of order ids.
        case.body = "order_id,amount\n1,19.95\n"
    if isinstance(case.body, dict):
        case.body = sensible(case.body)


def sensible(body):
    """What one field says of another, and what is reckoned of a field."""
    # A coupon ends after it begins.
    bounds = [str(body.get(name)) for name in ("valid_from", "valid_to")]
    if all(DATE.match(bound) for bound in bounds):
        body = {**body, "valid_from": None}
    # An account's check digits fit.
    for name in ("payer_iban", "payee_iban"):
        if isinstance(body.get(name), str):
            body = {**body, name: "DE89370400440532013000"}
    # An order is named in one way, and a dispute that is not closed has not ended.
    if isinstance(body.get("order_id"), str) and isinstance(body.get("conversion_id"), str):
        body = without(body, "conversion_id")
    if "refund_id" in body or "chargeback_id" in body:
        body = body if "conversion_id" in body else {"order_id": "1", **body}
    if body.get("status") in (None, "open", "potential") and body.get("closed_at"):
        body = without(body, "closed_at")
    # And it ended after it began, whenever that was told.
    if is_time(body.get("closed_at")):
        body = {**body, "closed_at": TOMORROW}
    # Money is exchanged into another currency, and quoted from the euro's first day to tomorrow.
    if isinstance(body.get("from"), dict) and body["from"].get("currency") == body.get("to"):
        body = {**body, "to": "EUR" if body["to"] != "EUR" else "USD"}
    body = quoted(body)
    if isinstance(body.get("rate"), dict):
        body = {**body, "rate": quoted(body["rate"])}
    if isinstance(body.get("plan"), dict):
        body = {**body, "plan": whole(body["plan"])}
    return whole(body)


def without(body, left_out):
    return {name: value for name, value in body.items() if name != left_out}


def is_time(text):
    try:
        return bool(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        return False


def quoted(rate):
    is_other = not "1999-01-01" <= str(rate.get("on_date")) <= TOMORROW
    is_day = DATE.fullmatch(str(rate.get("on_date")))
    return {**rate, "on_date": TOMORROW} if is_day and is_other else rate


def bounded(pay):
    """An amount has no more decimals than its currency, and a maximum is not below its minimum."""
    for name in ("amount", "minimum", "maximum", "cap"):
        fine = FINE.fullmatch(str(pay.get(name)))
        pay = {**pay, name: fine[1]} if fine else pay
    both = all(NUMBER.fullmatch(str(pay.get(name))) for name in ("minimum", "maximum"))
    return without(pay, "minimum") if both else pay


def whole(terms):
    """Amounts are whole and within bounds, steps go up, and a rule asks for something."""
    terms = bounded(terms)
    if isinstance(terms.get("tiers"), dict):
        terms = {**terms, "tiers": climbing(terms["tiers"])}
    if isinstance(terms.get("bonuses"), list):
        terms = {**terms, "bonuses": [reached(bonus) for bonus in terms["bonuses"]]}
    levels = terms.get("levels")
    if isinstance(levels, list) and all(
        isinstance(level, dict) and NUMBER.fullmatch(str(level.get("rate"))) for level in levels
    ):
        # Together they are at most 100 percent.
        terms = {**terms, "levels": levels[:1]}
    if isinstance(terms.get("rules"), list):
        terms = {**terms, "rules": [asking(rule) for rule in terms["rules"]]}
    return terms


def climbing(tiers):
    steps = tiers.get("steps")
    good = isinstance(steps, list) and steps and all(
        isinstance(step, dict) and set(step) == {"from", "rate"}
        and all(NUMBER.fullmatch(str(value)) for value in step.values())
        for step in steps
    )
    return {**tiers, "steps": [{"from": "1", "rate": "100"}]} if good else tiers


def reached(bonus):
    """Of so many sales, or so much money, more than nothing."""
    good = isinstance(bonus, dict) and all(
        NUMBER.fullmatch(str(bonus.get(name))) for name in ("from", "amount")
    )
    return {**bonus, "from": "1", "amount": "5"} if good else bonus


def asking(rule):
    rule = bounded(rule) if isinstance(rule, dict) else rule
    when = rule.get("when") if isinstance(rule, dict) else None
    empty = isinstance(when, dict) and not any(value not in (None, []) for value in when.values())
    return {**rule, "when": {**when, "country": ["DE"]}} if empty else rule

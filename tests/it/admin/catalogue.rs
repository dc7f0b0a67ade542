//! The catalogue: made by the contract's fields, changed where it may be, listed in pages; and keys.

use serde_json::{Value, json};

use super::{World, call, get, header, ids, make, pointers, text};

#[tokio::test]
async fn the_catalogue_is_made_by_the_contracts_fields() {
    let world = World::start().await;
    let (app, key) = (&world.app, world.operator.as_str());
    let program = get(app, key, &format!("programs/{}", world.acme.program)).await;
    for (field, expected) in [
        ("allowed_hosts", json!([])),
        ("click_param", json!("tclid")),
        ("attribution", json!("last_click")),
        ("window_days", json!(30)),
        ("hold_days", json!(30)),
        ("unsigned", json!("accept")),
        ("coupons", json!(true)),
        ("consent", json!(false)),
        ("paused", json!(false)),
    ] {
        assert_eq!(program[field], expected, "{field}");
    }
    assert_eq!((&program["plan"]["rate"], &program["plan"]["version"]), (&json!("10"), &json!(1)));
    let flat = json!({"kind": "flat", "amount": "5.00"});
    let plans = format!("programs/{}/plans", world.acme.program);
    let plan = make(app, key, &plans, flat).await;
    assert_eq!((&plan["version"], &plan["amount"]), (&json!(2), &json!("5.00")));
    assert_eq!(get(app, key, &plans).await["data"].as_array().unwrap().len(), 2);

    let link = json!({
        "program_id": world.acme.program, "affiliate_id": world.ann.id,
        "destination": "https://shop.example/sale?x=1", "code": "summer",
    });
    let link = make(app, key, "links", link).await;
    assert!(link["url"].as_str().unwrap().ends_with("/c/summer"));
    let code = json!({
        "program_id": world.acme.program, "name": "Form", "return_method": "link",
        "redirect_url": "https://shop.example/thanks?o={id}&a={amount}&c={currency}",
    });
    let code = make(app, key, "tracking-codes", code).await;
    let name = text(&code["code"]);
    assert!(code["secret"].as_str().unwrap().len() >= 32);
    for (field, end) in [
        ("pixel_url", format!("/t/{name}.gif")),
        ("form_url", format!("/t/{name}")),
        ("postback_url", format!("/postback/{name}")),
    ] {
        assert!(code[field].as_str().unwrap().ends_with(&end), "{field}");
    }
    for snippet in ["img", "form", "postback"] {
        assert!(code["snippets"][snippet].as_str().unwrap().contains(&name), "{snippet}");
    }
    assert!(code["snippets"]["tag"].as_str().unwrap().contains("/tag.js"));
    let coupon = json!({
        "program_id": world.acme.program, "affiliate_id": world.ann.id, "code": "Ann10",
        "valid_to": "2027-01-01T00:00:00Z",
    });
    let coupon = make(app, key, "coupons", coupon).await;
    assert_eq!(coupon["valid_to"], "2027-01-01T00:00:00Z");
}

#[tokio::test]
async fn what_is_editable_is_changed_and_nothing_else() {
    let world = World::start().await;
    let (app, key) = (&world.app, world.operator.as_str());
    let program = format!("programs/{}", world.acme.program);
    let affiliate = format!("affiliates/{}", world.ann.id);
    let link = format!("links/{}", world.ann.link);
    let code = format!("tracking-codes/{}", world.acme.tracking_code);
    for (path, change) in [
        (&program, json!({"name": "New", "allowed_hosts": ["M.shop.example"], "hold_days": 0})),
        (&program, json!({"paused": true, "unsigned": "hold", "attribution": "first_click"})),
        (&program, json!({"paused": false})),
        (&affiliate, json!({"email": "new@mail.example", "paused": true})),
        (&link, json!({"destination": "https://shop.example/x", "paused": true})),
        (&link, json!({"destination": null, "paused": false})),
        (
            &code,
            json!({"name": "N", "redirect_url": "https://s.example/", "return_method": "link"}),
        ),
        (&code, json!({"redirect_url": null})),
        (&code, json!({})),
    ] {
        let before = get(app, key, path).await;
        let answer = call(app, key, "PATCH", path, change.clone()).await;
        assert_eq!(answer.status, 200, "{path} {change}: {}", answer.json());
        let mut expected = before;
        for (field, value) in change.as_object().unwrap() {
            expected[field] = value.clone();
        }
        if change.get("allowed_hosts").is_some() {
            expected["allowed_hosts"] = json!(["m.shop.example"]);
        }
        assert_eq!(answer.json(), expected, "{path} {change}");
        assert_eq!(get(app, key, path).await, expected);
    }
    for (path, change, pointer) in [
        (&program, json!({"name": null}), "/name"),
        (&program, json!({"advertiser_id": world.other.id}), "/advertiser_id"),
        (&program, json!({"plan": {"kind": "flat", "amount": "1"}}), "/plan"),
        (&link, json!({"code": "x"}), "/code"),
        (&code, json!({"secret": "x"}), "/secret"),
    ] {
        let answer = call(app, key, "PATCH", path, change).await;
        assert_eq!((answer.status, pointers(&answer)), (422, vec![pointer.to_owned()]));
    }
}

#[tokio::test]
async fn keys_are_shown_once_and_can_be_revoked() {
    let world = World::start().await;
    let (app, key) = (&world.app, world.operator.as_str());
    let made = make(app, key, "api-keys", json!({"role": "operator", "name": "second"})).await;
    let second = text(&made["key"]);
    assert!(second.starts_with("trib_") && second.len() > 50);
    let list = get(app, &second, "api-keys").await;
    assert!(list["data"].as_array().unwrap().iter().all(|row| row.get("key").is_none()));
    assert!(second.starts_with(list["data"][0]["prefix"].as_str().unwrap()));
    let path = format!("api-keys/{}", text(&made["id"]));
    for _ in 0..2 {
        assert_eq!(call(app, key, "DELETE", &path, Value::Null).await.status, 204);
    }
    assert_eq!(call(app, &second, "GET", "programs", Value::Null).await.status, 401);
    assert!(get(app, key, &path).await["revoked_at"].is_string());
    for (body, at) in [
        (json!({"role": "advertiser"}), "/advertiser_id"),
        (json!({"role": "affiliate", "affiliate_id": "1", "advertiser_id": "2"}), "/advertiser_id"),
        (json!({"role": "operator", "affiliate_id": "1"}), "/affiliate_id"),
        (json!({"role": "root"}), "/role"),
    ] {
        let answer = call(app, key, "POST", "api-keys", body).await;
        assert_eq!((answer.status, pointers(&answer)), (422, vec![at.to_owned()]));
    }
    let answer =
        call(app, key, "POST", "api-keys", json!({"role": "affiliate", "affiliate_id": "1"})).await;
    assert_eq!((answer.status, pointers(&answer)), (404, vec!["/affiliate_id".to_owned()]));
}

#[tokio::test]
async fn lists_are_cut_into_pages() {
    let world = World::start().await;
    let (app, key) = (&world.app, world.operator.as_str());
    for n in 0..5 {
        let affiliate = json!({"name": format!("n{n}"), "email": "a@b.example"});
        make(app, key, "affiliates", affiliate).await;
    }
    let all = ids(&get(app, key, "affiliates").await);
    assert!(all.len() == 7 && all.is_sorted_by(|a, b| a > b), "newest first");
    let (mut seen, mut path) = (Vec::new(), "affiliates?limit=3".to_owned());
    loop {
        let page = get(app, key, &path).await;
        seen.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("affiliates?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let whole = get(app, key, "affiliates?limit=7").await;
    assert!(whole["next_cursor"].is_null(), "no empty last page");
    // What is made while somebody reads neither shifts nor repeats a row; the header leads on, too.
    let (mut seen, mut path) = (Vec::new(), "affiliates?limit=2".to_owned());
    loop {
        let page = call(app, key, "GET", &path, Value::Null).await;
        seen.extend(ids(&page.json()));
        make(app, key, "affiliates", json!({"name": "late", "email": "a@b.example"})).await;
        let Some(link) = header(&page, "link") else { break };
        let next = link.strip_suffix(">; rel=\"next\"").unwrap();
        path = next.strip_prefix("</api/v1/").unwrap().to_owned();
        assert!(path.starts_with("affiliates?limit=2&cursor="), "{link}");
    }
    assert_eq!(seen, all);
}

//! The walls of PostgreSQL: who its roles are, what they may, and that no table is without a policy.

use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::page::{Page, Scope};
use tributary::store::{Store, migrate, programs};

use super::tenants::{IDS, World};
use crate::harness::App;

const ROLES: [&str; 3] = ["tributary_worker", "tributary_app", "tributary_report"];
/// Everything, for one who is not kept from it.
const ALL: Scope = Scope { advertiser_id: None, affiliate_id: None };
const PAGE: Page = Page { id: None, before: None, limit: 500 };

async fn texts(app: &App, sql: &str) -> Vec<String> {
    app.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

fn id(side: usize, row: &str) -> i64 {
    format!("{}{row}", IDS[side]).parse().unwrap()
}

#[tokio::test]
async fn every_table_has_row_security_that_binds_its_owner_too() {
    let app = App::start().await;
    let bare = texts(
        &app,
        "select relname::text from pg_class c
         where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
           and not (relrowsecurity and relforcerowsecurity
                    and exists (select from pg_policy p where p.polrelid = c.oid))",
    );
    assert_eq!(
        bare.await,
        ["refinery_schema_history"],
        "which versions were applied is no tenant's"
    );
    // What the worker may see is plainly true, so that settling pays nothing for it.
    let dear = "select polrelid::regclass::text from pg_policy
                where 'tributary_worker'::regrole = any(polroles)
                  and (pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) <> ('true', 'true')";
    assert_eq!(texts(&app, dear).await, [""; 0]);
    let definers = "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by 1";
    assert_eq!(
        texts(&app, definers).await,
        ["audit_row", "standing_of"],
        "nothing else acts with its owner's rights"
    );
    let path = "select distinct array_to_string(proconfig, '; ') from pg_proc where proname in ('audit_row', 'standing_of')";
    assert_eq!(
        texts(&app, path).await,
        ["search_path=public, pg_temp"],
        "nobody puts a table of his own in the log's place"
    );
    let views = "select relname::text from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace";
    assert_eq!(texts(&app, views).await, [""; 0], "nor by way of a view");
}

#[tokio::test]
async fn the_roles_have_no_more_rights_than_they_need() {
    let app = App::start().await;
    let mighty = "select rolname::text from pg_roles r
                  where rolname like 'tributary\\_%'
                    and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb
                         or exists (select from pg_class where relowner = r.oid)
                         or exists (select from pg_auth_members where member = r.oid))";
    assert_eq!(texts(&app, mighty).await, [""; 0]);
    // A table or column, and what may be done with it beside reading: nothing deletes from or rewrites the books.
    let rights = "select r.rolname || ' ' || c.relname || ' ' || p.privilege
                  from pg_roles r, pg_class c, unnest(array['update', 'delete', 'truncate']) p (privilege)
                  where r.rolname like 'tributary\\_%' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
                    and has_table_privilege(r.oid, c.oid, p.privilege)
                  order by 1";
    let expected = [
        "tributary_app invitations delete",
        "tributary_app known_devices delete",
        "tributary_app reconciliation_rows delete",
        "tributary_app recovery_codes delete",
        "tributary_app sessions delete",
        "tributary_worker clicks delete",
        "tributary_worker edges update",
        "tributary_worker frames delete",
        "tributary_worker idempotent_calls delete",
        "tributary_worker invitations delete",
        "tributary_worker known_devices delete",
        "tributary_worker month_changes delete",
        "tributary_worker reconciliation_rows delete",
        "tributary_worker sessions delete",
        "tributary_worker sign_in_budgets delete",
    ];
    assert_eq!(texts(&app, rights).await, expected);
    let reports = "select c.relname::text from pg_class c, unnest(array['insert', 'update', 'delete', 'truncate']) p (privilege)
                   where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
                     and (has_table_privilege('tributary_report', c.oid, p.privilege)
                          or p.privilege in ('insert', 'update')
                             and has_any_column_privilege('tributary_report', c.oid, p.privilege))";
    assert_eq!(texts(&app, reports).await, [""; 0], "reports only read");
    let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    for role in ROLES {
        db.batch_execute(&format!("set role {role}")).await.unwrap();
        for statement in
            ["update transfers set amount = 1", "delete from transfers", "truncate transfers"]
        {
            let refusal = db.batch_execute(statement).await.unwrap_err();
            assert_eq!(
                refusal.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{role}: {statement}"
            );
        }
    }
}

#[tokio::test]
async fn whoever_did_not_say_who_he_is_sees_nothing() {
    let world = World::start().await;
    let (db, connection) = tokio_postgres::connect(&world.app.database_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    for role in ["tributary_app", "tributary_report"] {
        db.batch_execute(&format!("set role {role}")).await.unwrap();
        for said in ["", "nobody", "worker", "Operator"] {
            db.execute("select set_config('tributary.role', $1, false)", &[&said]).await.unwrap();
            let tables = "select relname::text from pg_class where relkind = 'r' and relname <> 'refinery_schema_history'
                          and relnamespace = 'public'::regnamespace and has_table_privilege(oid, 'select')";
            for table in db.query(tables, &[]).await.unwrap() {
                let table: &str = table.get(0);
                let rows = db.query(&format!("select from {table}"), &[]).await.unwrap();
                assert_eq!(rows.len(), 0, "{role}, {said:?}: {table}");
            }
        }
    }
}

#[tokio::test]
async fn a_connection_forgets_who_used_it_before() {
    let world = World::start().await;
    let nobody = Store::for_api(&world.app.database_url, 1).unwrap();
    let seen = async |store: &Store| {
        let rows = programs::select(store, ALL, PAGE, None).await.unwrap();
        rows.iter().map(|program| program.id).collect::<Vec<_>>()
    };
    let [a, b] = [0, 1]
        .map(|side| nobody.on_behalf_of(Caller::new(Role::Advertiser(id(side, "01")), "test")));
    let operator = nobody.on_behalf_of(Caller::new(Role::Operator, "test"));
    let stranger = nobody.on_behalf_of(Caller::new(Role::Advertiser(1), "test"));
    for _ in 0..20 {
        // More often than a plan is made anew for its values.
        assert_eq!(seen(&nobody).await, [0_i64; 0]);
        assert_eq!(seen(&a).await, [id(0, "03")]);
        assert_eq!(seen(&nobody).await, [0_i64; 0]);
        assert_eq!(seen(&b).await, [id(1, "03")]);
        assert_eq!(seen(&operator).await, [id(1, "03"), id(0, "03")]);
        assert_eq!(seen(&stranger).await, [0_i64; 0]);
    }
    // A failed statement leaves nothing behind either.
    let mut offer = programs::select(&a, ALL, PAGE, None).await.unwrap().remove(0).of;
    offer.advertiser_id = id(1, "01");
    let terms = serde_json::json!({"kind": "flat", "amount": "1"});
    assert!(programs::create(&a, &offer, &terms).await.is_err());
    assert_eq!(seen(&nobody).await, [0_i64; 0]);
}

#[tokio::test]
async fn a_login_that_row_security_does_not_hold_for_is_refused() {
    let app = App::start().await;
    let refusal = Store::new(&app.database_url, 1).unwrap().check_walls().await.unwrap_err();
    assert!(refusal.to_string().contains("is a superuser"), "{refusal}");
    for store in [Store::for_worker(&app.database_url, 1), Store::for_api(&app.database_url, 1)] {
        store.unwrap().check_walls().await.unwrap();
    }
}

#[tokio::test]
async fn a_migration_does_not_wait_for_ever_with_everybody_behind_it() {
    let app = App::start().await;
    let (client, connection) =
        tokio_postgres::connect(&app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = "begin; lock table refinery_schema_history in access exclusive mode";
    client.batch_execute(lock).await.unwrap();
    let login = Store::new(&app.database_url, 1).unwrap();
    let began = std::time::Instant::now();
    let refusal = migrate::run(&login).await.unwrap_err().to_string();
    assert!(refusal.contains("stop the workers"), "{refusal}");
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
    client.batch_execute("rollback").await.unwrap();
    migrate::run(&login).await.unwrap();
}

#[tokio::test]
async fn a_plain_login_owns_the_schema_once_it_has_the_roles() {
    let app = App::start().await;
    let name = format!("plain_{}", app.database_url.rsplit_once('/').unwrap().1);
    app.execute(&format!("create role {name} login password 'plain'")).await;
    app.execute(&format!("create database {name} owner {name}")).await;
    let (_, server) = app.database_url.rsplit_once('@').unwrap();
    let address = server.split('/').next().unwrap();
    let url = format!("postgres://{name}:plain@{address}/{name}");
    let owner = Store::new(&url, 1).unwrap();
    let refusal = migrate::run(&owner).await.unwrap_err().to_string();
    assert!(refusal.contains("have an administrator run this"), "{refusal}");
    let refusal = migrate::check(&Store::for_api(&url, 1).unwrap()).await.unwrap_err().to_string();
    assert!(refusal.contains("or grant the role to this login"), "{refusal}");

    app.execute(&format!("grant tributary_worker, tributary_app, tributary_report to {name}"))
        .await;
    migrate::run(&owner).await.unwrap();
    let refusal = owner.check_walls().await.unwrap_err().to_string();
    assert!(refusal.contains("owns tables"), "{refusal}");
    let api = Store::for_api(&url, 1).unwrap();
    migrate::check(&api).await.unwrap();
    api.check_walls().await.unwrap();
    let operator = api.on_behalf_of(Caller::new(Role::Operator, "test"));
    let id = tributary::store::advertisers::create(&operator, "Shop", "USD", "UTC").await.unwrap();
    let (db, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    // A migration of the owner's sees the rows: he is a member of the worker's role.
    let seen: i64 = db.query_one("select id from advertisers", &[]).await.unwrap().get(0);
    assert_eq!(seen, id);
    drop((db, owner, api, operator));
}

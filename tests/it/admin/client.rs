//! A client that is generated from the served document goes the whole way.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::harness::{self, App};

async fn python(script: &str, arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg("-B").arg(root.join(script)).args(arguments).kill_on_drop(true);
    command.output().await.unwrap()
}

#[tokio::test]
async fn a_generated_client_goes_the_whole_way() {
    let app = App::start().await;
    let dir = harness::temp_dir("client");
    fs::create_dir(&dir).unwrap();
    let document = format!("{}/openapi.json", app.admin_url);
    let written = python("docs/client/generate.py", &[&document]).await;
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    fs::write(dir.join("tributary.py"), &written.stdout).unwrap();
    let arguments = [dir.to_str().unwrap(), &app.admin_url, &app.edge_url, &app.admin_key];
    let settling = async {
        loop {
            app.settle().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = tokio::select! {
        gone = python("tests/client/journey.py", &arguments) => gone,
        () = settling => unreachable!("settling never ends"),
    };
    assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
    fs::remove_dir_all(&dir).unwrap();
}

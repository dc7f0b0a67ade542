//! Secrets that everybody knows are refused, and what the deployment may do is little.

use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `tributary config check`: its exit code and what it said.
fn check(variable: &str, value: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    let output =
        command.args(["config", "check"]).env_clear().env(variable, value).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn weak_secrets_are_refused() {
    let zero = format!("k1:{}", "A".repeat(43));
    let (short, same) = ("k1:AAECAwQFBgcICQ", "a".repeat(64));
    let mut weak = vec![
        ("TRIBUTARY_TOKEN_KEYS", zero),
        ("TRIBUTARY_TOKEN_KEYS", short.to_owned()),
        ("TRIBUTARY_TOKEN_KEYS", crate::world::KEY.to_owned()),
        ("TRIBUTARY_TOKEN_KEYS", crate::world::OTHER_KEY.to_owned()),
        ("TRIBUTARY_ADMIN_KEY", same),
        ("TRIBUTARY_ADMIN_KEY", "changeme-changeme-changeme-changeme".to_owned()),
        ("TRIBUTARY_ADMIN_KEY", "0123456789012345678901234567890123456789".to_owned()),
        ("TRIBUTARY_ADMIN_KEY", "4c0e9a7d1b5f4be24c0e9a7d1b5f4be".to_owned()),
        ("TRIBUTARY_REDIS_URL", "redis://:redis@127.0.0.1".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "postgres://tributary:tributary@127.0.0.1/x".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "postgres://postgres:Postgres@db/x".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "postgres://postgres:postgre%73@db/x".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "postgres://postgres@db/x?password=changeme".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "host=db user=postgres password=postgres".to_owned()),
        ("TRIBUTARY_DATABASE_URL", "host=db password = 'pass\\word' user=x".to_owned()),
    ];
    // And what stands in the example for a secret, taken as it is.
    let example = read("deploy/tributary.env.example");
    let given = example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let secrets = [
        "TRIBUTARY_DATABASE_URL",
        "TRIBUTARY_REDIS_URL",
        "TRIBUTARY_TOKEN_KEYS",
        "TRIBUTARY_ADMIN_KEY",
    ];
    let before = weak.len();
    for (name, value) in given {
        if let Some(name) = secrets.iter().find(|secret| **secret == name) {
            weak.push((name, value.to_owned()));
        }
    }
    assert_eq!(weak.len(), before + 4);
    for (variable, value) in weak {
        let (code, said) = check(variable, &value);
        let flag = variable.trim_start_matches("TRIBUTARY_").to_lowercase().replace('_', "-");
        assert_eq!(code, Some(64), "{variable}={value}");
        assert!(said.contains(&format!("--{flag}: ")), "{said}");
        assert!(!said.contains(&value), "what was refused may be somebody's secret: {said}");
    }
    for (variable, value) in [
        ("TRIBUTARY_TOKEN_KEYS", "k1:3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8"),
        ("TRIBUTARY_ADMIN_KEY", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("TRIBUTARY_REDIS_URL", "redis://127.0.0.1"),
        ("TRIBUTARY_DATABASE_URL", "postgres://tributary:9f86d081884c7d65@127.0.0.1/tributary"),
        ("TRIBUTARY_DATABASE_URL", "host=127.0.0.1 user=tributary password=9f86d081884c7d65"),
    ] {
        assert_eq!(check(variable, value).0, Some(0), "{variable}: {}", check(variable, value).1);
    }
}

#[test]
fn a_role_has_no_more_rights_than_it_needs() {
    for unit in ["admin", "edge@", "rates", "worker"] {
        let text = read(&format!("deploy/systemd/tributary-{unit}.service"));
        for line in [
            "DynamicUser=yes",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "AmbientCapabilities=",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "PrivateTmp=yes",
            "PrivateDevices=yes",
            "PrivateUsers=yes",
            "ProtectKernelTunables=yes",
            "ProtectKernelModules=yes",
            "ProtectKernelLogs=yes",
            "ProtectControlGroups=yes",
            "ProtectClock=yes",
            "ProtectHostname=yes",
            "ProtectProc=invisible",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
            "RestrictNamespaces=yes",
            "RestrictRealtime=yes",
            "RestrictSUIDSGID=yes",
            "LockPersonality=yes",
            "MemoryDenyWriteExecute=yes",
            "SystemCallArchitectures=native",
            "SystemCallFilter=@system-service",
            "UMask=0077",
        ] {
            assert!(text.lines().any(|l| l == line), "tributary-{unit}.service lacks {line}");
        }
    }
    let image = read("deploy/Dockerfile");
    assert!(image.contains("\nUSER 10001:10001\n"), "the image must not run as root");
    for file in ["admin", "edge", "worker", "migrate"] {
        let text = read(&format!("deploy/kubernetes/{file}.yaml"));
        for line in [
            "runAsNonRoot: true",
            "allowPrivilegeEscalation: false",
            "readOnlyRootFilesystem: true",
        ] {
            assert!(text.contains(line), "deploy/kubernetes/{file}.yaml lacks {line}");
        }
    }
}

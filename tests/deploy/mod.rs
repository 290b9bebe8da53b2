//! The `CloudFormation` templates and the scripts beside them: linted, compared with what they repeat, and deployed for real
//! with the AWS CLI in two foreign emulators, MiniStack and moto server.
//!
//! `KEYROT_DEPLOY` names the folder with the tools, `KEYROT_LAMBDA_ZIP` the function as `packaging/build lambda` packed
//! it; `tests/run` makes both.

mod calls;
mod emulator;
mod firing;
mod lifecycle;
mod lint;
mod parameters;
mod policies;
mod scripts;
mod watch;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::skip::skip;
use crate::workstation::Ran;

const SECURITY_ACCOUNT: &str = "security-account";
const MEMBER_ROLE: &str = "member-role";
const SERVICE_CONTROL_POLICY: &str = "service-control-policy";
const TEMPLATES: [&str; 3] = [SECURITY_ACCOUNT, MEMBER_ROLE, SERVICE_CONTROL_POLICY];

fn packaging(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(below)
}

fn template_path(name: &str) -> PathBuf {
    packaging(&format!("aws/cloudformation/{name}.yaml"))
}

/// The folder whose `bin` has the tools; `None`, and a word about it, where there is none.
fn tools(for_what: &str) -> Option<PathBuf> {
    let found = std::env::var_os("KEYROT_DEPLOY").map(PathBuf::from).filter(|folder| folder.join("bin/aws").exists());
    if found.is_none() {
        skip(&format!("KEYROT_DEPLOY names no folder with aws, ministack, cfn-lint and checkov: {for_what}"));
    }
    found
}

/// The function's zip; `None`, and a word about it, where none was built.
fn function(for_what: &str) -> Option<PathBuf> {
    let found = std::env::var_os("KEYROT_LAMBDA_ZIP").map(PathBuf::from);
    if found.is_none() {
        skip(&format!("KEYROT_LAMBDA_ZIP names no zip of packaging/build lambda: {for_what}"));
    }
    found
}

fn ran(command: &mut Command) -> Ran {
    Ran::from(command.stdin(Stdio::null()).output().unwrap())
}

/// The template as JSON, its short forms written out.
fn template(tools: &Path, name: &str) -> Value {
    let read = ran(Command::new(tools.join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/template.py"))
        .arg(template_path(name)));
    assert_eq!(read.code, Some(0), "{}", read.stderr);
    serde_json::from_str(&read.stdout).unwrap()
}

/// Of the values those that the template's patterns refuse.
fn refused(tools: &Path, name: &str, asked: &Value) -> Value {
    let mut child = Command::new(tools.join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/template.py"))
        .args(["--patterns".as_ref(), template_path(name).as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

//! Terraform as a program, its provider in a mirror folder, and a copy of packaging to run it in.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::skip::skip;
use crate::workstation::Ran;

pub struct Terraform {
    program: PathBuf,
    /// Holds the CLI configuration, and nothing of ours.
    home: tempfile::TempDir,
}

impl Terraform {
    /// None, with words for it, where there is no Terraform.
    pub fn found() -> Option<Terraform> {
        let path = std::env::var_os("PATH")?;
        let Some(program) = std::env::split_paths(&path).map(|folder| folder.join("terraform")).find(|it| it.is_file())
        else {
            skip("needs terraform: its module is neither formatted nor validated nor applied");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("cli.tfrc"), "disable_checkpoint = true\n").unwrap();
        Some(Terraform { program, home })
    }

    /// None, with words for it, where there is no provider for AWS in a mirror.
    pub fn with_provider() -> Option<Terraform> {
        let terraform = Self::found()?;
        let Some(mirror) = mirror() else {
            skip("needs terraform-provider-aws in a mirror folder (KEYROT_TERRAFORM_PLUGINS): nothing is applied");
            return None;
        };
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            mirror.display()
        );
        fs::write(terraform.home.path().join("cli.tfrc"), text).unwrap();
        Some(terraform)
    }

    pub fn run<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S]) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.home.path()).env("TF_CLI_CONFIG_FILE", self.home.path().join("cli.tfrc"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("CHECKPOINT_DISABLE", "1");
        // The only address that leaves this machine would be AWS's.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Ran::from(command.output().unwrap())
    }

    pub fn init(&self, folder: &Path) {
        self.run(folder, &["init", "-input=false", "-no-color", "-backend=false"]).expect(0);
    }
}

/// The folder that holds `registry.terraform.io/hashicorp/aws/…`.
fn mirror() -> Option<PathBuf> {
    let named = std::env::var_os("KEYROT_TERRAFORM_PLUGINS").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".terraform.d/plugins"));
    let usual = ["/usr/share/terraform/plugins", "/usr/local/share/terraform/plugins"].map(PathBuf::from);
    let optional = fs::read_dir("/opt").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let folders = named.into_iter().chain(home).chain(usual).chain(optional);
    folders.into_iter().find(|folder| folder.join("registry.terraform.io/hashicorp/aws").is_dir())
}

/// A copy of packaging/aws and packaging/iam: Terraform writes beside what it reads.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn copy() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
        for below in ["aws/terraform", "aws/policies", "aws/stepfunctions", "iam"] {
            copy(&packaging.join(below), &folder.path().join(below));
        }
        Folder(folder)
    }

    /// Below the module.
    pub fn at(&self, below: &str) -> PathBuf {
        self.0.path().join("aws/terraform").join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.at(below), text).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        // What an earlier hand left of Terraform's own.
        if path.file_name().unwrap().to_string_lossy().starts_with(".terraform") {
            continue;
        }
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The provider of an example that has none of its own: everything goes to the emulator.
pub fn provider(url: &str) -> String {
    let services = ["cloudwatch", "events", "iam", "kms", "lambda", "logs", "s3", "scheduler", "sns", "sqs", "sts"];
    let endpoints = services.map(|service| format!("    {service} = {url:?}\n")).concat();
    format!(
        "provider \"aws\" {{\n  region = \"us-east-1\"\n  access_key = \"AKIAADMIN00000000001\"\n  secret_key = \"any\"\n  \
         s3_use_path_style = true\n  endpoints {{\n{endpoints}  }}\n}}\n"
    )
}

/// The state as it is kept: `terraform show` would load the provider's schema again.
pub fn state(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("terraform.tfstate")).unwrap()).unwrap()
}

/// Type and values of each resource that a state holds.
pub fn instances(state: &Value) -> Vec<(String, Value)> {
    let resources = state["resources"].as_array().unwrap().iter();
    let of = |resource: &Value| {
        let kind = resource["type"].as_str().unwrap().to_owned();
        let instances = resource["instances"].as_array().unwrap().clone();
        instances.into_iter().map(move |one| (kind.clone(), one["attributes"].clone()))
    };
    resources.filter(|resource| resource["mode"] == "managed").flat_map(of).collect()
}

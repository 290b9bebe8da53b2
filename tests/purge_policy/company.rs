//! An organization with the policies of packaging/iam in their places: a security account (which manages it, as the
//! emulator answers lists to no other) and a member account with users, an administrator and the role of the purge.

use std::time::Duration;

use chrono::TimeDelta;

use super::papers::{CONTROL, READER, ROLE, TRUST, filled};
use crate::program;
use crate::sandbox::{ADMINISTRATOR, Call, HOME, Sandbox};
use crate::sandbox_rules::client::{Keys, iam, sts, wait};
use crate::workstation::{Ran, Workstation};

pub const SECURITY: &str = HOME;
pub const MEMBER: &str = "222222222222";
pub const EXTERNAL_ID: &str = "8d1f-purge";
pub const PURGE_ROLE: &str = "keyrot-me-purge";
/// Of a key's age.
const LONG_AGO: TimeDelta = TimeDelta::days(90);

/// The documents; what is not named is as it stands in packaging/iam.
pub struct Papers {
    pub role: String,
    pub reader: String,
    pub trust: String,
    pub control: String,
}

impl Default for Papers {
    fn default() -> Self {
        Self { role: ROLE.into(), reader: READER.into(), trust: TRUST.into(), control: CONTROL.into() }
    }
}

pub struct Company {
    pub station: Workstation,
    /// The session in the security account that the purge is started with, as Lambda hands it over.
    pub purge: Keys,
    /// Of another role there, with the same permissions.
    pub other_role: Keys,
    /// A user there who may do everything.
    pub operator: Keys,
    /// The member account's administrator.
    pub administrator: Keys,
    /// A session in the member account that may exempt.
    pub exemptor: Keys,
    /// A unit above the member account.
    pub unit: String,
}

impl Company {
    pub fn new(papers: &Papers) -> Company {
        Self::trusting(papers, None)
    }

    /// Whose member accounts trust this organization instead of their own.
    pub fn trusting(papers: &Papers, organization: Option<&str>) -> Company {
        let station = Workstation::new(program());
        let sandbox = &station.sandbox;
        sandbox.add_account(MEMBER);
        let root = sandbox.make_organization(SECURITY);
        let unit = sandbox.add_unit(&root, "Workloads");
        let below = sandbox.add_unit(&unit, "Payments");
        sandbox.place(MEMBER, &below);
        let operator = user(sandbox, SECURITY, "operator");
        let ours = account_trust(SECURITY);
        let role = |name: &str| sandbox.add_role(SECURITY, name, &ours, &[&papers.reader]);
        let [central, other] = ["purge-runner", "report-runner"].map(role);
        let organization = organization.map_or_else(|| sandbox.organization_id(), str::to_owned);
        let values = [
            ("PURGE_PRINCIPAL_ARN", central.clone()),
            ("ORGANIZATION_ID", organization),
            ("EXTERNAL_ID", EXTERNAL_ID.to_owned()),
            ("EXEMPTION_ROLE_ARN", "arn:aws:iam::*:role/key-exemptions".to_owned()),
            ("DEPLOYMENT_ROLE_ARN", "arn:aws:iam::*:role/stacksets-exec-*".to_owned()),
        ];
        sandbox.add_role(MEMBER, PURGE_ROLE, &filled(&papers.trust, &values), &[&papers.role]);
        sandbox.set_control_policies(MEMBER, &[ADMINISTRATOR, &filled(&papers.control, &values)]);
        let exemptions = sandbox.add_role(MEMBER, "key-exemptions", &ours, &[ADMINISTRATOR]);
        developers(sandbox);
        let administrator = user(sandbox, MEMBER, "administrator");
        let [purge, other_role, exemptor] =
            [central, other, exemptions].map(|role| session(sandbox, &operator, &role, None).unwrap());
        sandbox.clear_calls();
        Company { station, purge, other_role, operator, administrator, exemptor, unit }
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.station.sandbox
    }

    /// A purge of the whole organization unless `more` names accounts.
    pub fn purge(&self, more: &[&str]) -> Ran {
        self.purge_as(&self.purge, &[&["--external-id", EXTERNAL_ID], more].concat())
    }

    pub fn purge_as(&self, signer: &Keys, more: &[&str]) -> Ran {
        self.start(signer, &[&["purge", "--org", "--max-age", "5d"], more].concat())
    }

    /// The program with this key or session in its environment.
    pub fn start(&self, signer: &Keys, arguments: &[&str]) -> Ran {
        let mut command = self.station.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", &signer.id).env("AWS_SECRET_ACCESS_KEY", &signer.secret);
        command.envs(signer.token.iter().map(|token| ("AWS_SESSION_TOKEN", token)));
        Ran::from(command.output().unwrap())
    }

    /// In the member account, as the purge comes into it.
    pub fn inside(&self) -> Keys {
        let role = format!("arn:aws:iam::{MEMBER}:role/{PURGE_ROLE}");
        session(self.sandbox(), &self.purge, &role, Some(EXTERNAL_ID)).unwrap()
    }

    /// The id and the status of carol's key, while she has one.
    pub fn key(&self) -> Option<(String, String)> {
        self.sandbox().keys_of((MEMBER, "carol")).pop().map(|key| (key.id, key.status))
    }

    /// What the program asked for with sessions of roles in this account.
    pub fn calls_in(&self, account: &str) -> Vec<Call> {
        let of_a_role = |call: &Call| call.account == account && call.key_id.starts_with("ASIA");
        self.sandbox().calls().into_iter().filter(of_a_role).collect()
    }

    /// Their names as policies have them, in order, each once.
    pub fn actions_in(&self, account: &str) -> Vec<String> {
        let name = |call: Call| format!("{}:{}", call.service.name(), call.action);
        let mut names: Vec<String> = self.calls_in(account).into_iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// # Errors
    /// AWS's words.
    pub fn tag(&self, signer: &Keys, user: &str, names: &[&str]) -> Result<(), String> {
        let tag = |name: &&str| aws_sdk_iam::types::Tag::builder().key(*name).value("2026").build().unwrap();
        let tags = names.iter().map(tag).collect();
        let call = iam(self.sandbox(), signer).tag_user().user_name(user).set_tags(Some(tags));
        wait(call.send()).map(drop).map_err(|error| error.into_service_error().meta().to_string())
    }

    /// # Errors
    /// AWS's words.
    pub fn untag(&self, signer: &Keys, user: &str, names: &[&str]) -> Result<(), String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let call = iam(self.sandbox(), signer).untag_user().user_name(user).set_tag_keys(Some(names));
        wait(call.send()).map(drop).map_err(|error| error.into_service_error().meta().to_string())
    }
}

/// Carol, under a path, with an old key; dave with a fresh one.
fn developers(sandbox: &Sandbox) {
    sandbox.add_user_at("/dev/eu/", (MEMBER, "carol"));
    let (old, _) = sandbox.seed_key((MEMBER, "carol"), sandbox.now() - LONG_AGO, "Active");
    sandbox.set_last_used(&old, sandbox.now() - LONG_AGO, "s3", "eu-central-1");
    sandbox.add_user((MEMBER, "dave"));
    sandbox.seed_key((MEMBER, "dave"), sandbox.now() - Duration::from_secs(3_600), "Active");
    sandbox.add_group_in(MEMBER, "Developers", &["carol", "dave"]);
}

/// Somebody who may do everything there.
pub fn user(sandbox: &Sandbox, account: &str, name: &str) -> Keys {
    sandbox.add_user((account, name));
    sandbox.set_policies((account, name), &[ADMINISTRATOR]);
    Keys::from(sandbox.seed_key((account, name), sandbox.now(), "Active"))
}

/// Whoever that account permits may take the role.
pub fn account_trust(account: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{account}:root"}}}}]}}"#
    )
}

/// # Errors
/// AWS's words.
pub fn session(sandbox: &Sandbox, signer: &Keys, role: &str, external_id: Option<&str>) -> Result<Keys, String> {
    let call = sts(sandbox, signer).assume_role().role_arn(role).role_session_name("friday");
    let made = wait(call.set_external_id(external_id.map(str::to_owned)).send());
    let made = made.map_err(|error| error.into_service_error().meta().to_string())?.credentials.unwrap();
    Ok(Keys { id: made.access_key_id, secret: made.secret_access_key, token: Some(made.session_token) })
}

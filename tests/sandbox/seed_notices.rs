//! Topics, mail and secrets, as tests set and read them by hand.

use super::Control;
use super::mail::Mail;

impl Control {
    /// An address or a domain that SES may send from, and in its sandbox to.
    pub fn verify_identity(&self, name: &str) {
        self.world().identities.insert(name.to_owned());
    }

    /// As accounts begin: SES sends to verified identities alone.
    pub fn ses_sandbox(&self, on: bool) {
        self.world().ses_sandbox = on;
    }

    /// `BOUNCE` or `COMPLAINT`.
    pub fn suppress(&self, address: &str, reason: &str) {
        self.world().suppressed.insert(address.to_owned(), reason.to_owned());
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.world().mails.clone()
    }

    /// Its ARN.
    pub fn add_secret(&self, account: &str, region: &str, name: &str, text: &str) -> String {
        let mut world = self.world();
        let partition = world.account(account).partition.clone();
        let arn = format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-a1b2c3");
        world.secrets.insert(arn.clone(), text.to_owned());
        arn
    }
}

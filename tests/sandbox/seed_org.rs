//! Events, organizations and topics, as tests set and read them by hand.

use serde_json::Value;

use super::clock::{Time, iso, whole_seconds};
use super::cloudtrail::Event;
use super::organizations::Organization;
use super::seed::policies;
use super::sns::Message;
use super::{Control, ids};

impl Control {
    pub fn add_topic(&self, account: &str, name: &str) -> String {
        let mut world = self.world();
        let at = world.account(account);
        let arn = format!("arn:{}:sns:{}:{account}:{name}", at.partition, at.home_region());
        world.topics.insert(arn.clone());
        arn
    }

    pub fn messages(&self) -> Vec<Message> {
        self.world().messages.clone()
    }

    /// All that was recorded, visible or not.
    pub fn events(&self) -> Vec<Event> {
        self.world().events.clone()
    }

    /// Something that another client did with a key, in the home region of its account.
    pub fn seed_event(&self, key_id: &str, name: &str, source: &str, at: Time, user_agent: &str, address: &str) {
        let mut world = self.world();
        let (account, user) = world.owner_of(key_id).expect("a key of the sandbox");
        let region = world.account(&account).home_region();
        let id = ids::request();
        let record = serde_json::json!({
            "eventVersion": "1.11", "eventID": id, "eventName": name, "eventSource": source, "awsRegion": region,
            "eventTime": iso(at), "userAgent": user_agent, "sourceIPAddress": address,
            "userIdentity": {"type": "IAMUser", "accountId": account, "accessKeyId": key_id, "userName": user},
            "requestParameters": Value::Null, "responseElements": Value::Null, "recipientAccountId": account,
        });
        let event = Event {
            id,
            name: name.to_owned(),
            source: source.to_owned(),
            at: whole_seconds(at),
            account,
            region: region.to_owned(),
            key_id: key_id.to_owned(),
            user,
            read_only: false,
            resources: Vec::new(),
            record,
        };
        world.events.push(event);
    }

    /// The account becomes the management account; all others join under the root. Answers the root's id.
    pub fn make_organization(&self, management: &str) -> String {
        let mut world = self.world();
        let mut organization = Organization::new(management);
        let root = organization.root.clone();
        for account in world.accounts.keys() {
            organization.places.insert(account.clone(), root.clone());
        }
        world.organization = Some(organization);
        root
    }

    pub fn organization_id(&self) -> String {
        self.world().organization.as_ref().expect("an organization").id.clone()
    }

    pub fn add_unit(&self, parent: &str, name: &str) -> String {
        self.world().organization.as_mut().expect("an organization").add_unit(parent, name)
    }

    /// Moves the account there; one outside the organization joins.
    pub fn place(&self, account: &str, parent: &str) {
        let mut world = self.world();
        world.account(account);
        let organization = world.organization.as_mut().expect("an organization");
        assert!(organization.knows_parent(parent), "{parent} is neither root nor unit");
        organization.places.insert(account.to_owned(), parent.to_owned());
    }

    /// `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, …
    pub fn set_account_state(&self, account: &str, state: &str) {
        state.clone_into(&mut self.world().account_mut(account).state);
    }

    /// None at all means that all is allowed.
    pub fn set_control_policies(&self, account: &str, documents: &[&str]) {
        self.world().account_mut(account).control_policies = policies(documents);
    }
}

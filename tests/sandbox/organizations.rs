//! AWS Organizations: one tree of units, pages of at most 20, answered only to the management account.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::iam::{Context, Done};
use super::ids;
use super::paging::Page;
use super::settings::AccountFields;
use super::signer::{Wish, authorize};
use super::wire::{Body, Failure};
use super::world::Account;

const LARGEST_PAGE: usize = 20;

pub struct Organization {
    pub id: String,
    pub management: String,
    pub root: String,
    pub units: Vec<Unit>,
    /// Account to parent.
    pub places: BTreeMap<String, String>,
}

pub struct Unit {
    pub id: String,
    pub name: String,
    pub parent: String,
}

impl Organization {
    pub fn new(management: &str) -> Organization {
        let root = format!("r-{}", ids::hex_of_length(4));
        Organization {
            id: format!("o-{}", ids::hex_of_length(10)),
            management: management.to_owned(),
            places: BTreeMap::from([(management.to_owned(), root.clone())]),
            units: Vec::new(),
            root,
        }
    }

    pub fn holds(&self, account: &str) -> bool {
        self.places.contains_key(account)
    }

    pub fn add_unit(&mut self, parent: &str, name: &str) -> String {
        assert!(self.knows_parent(parent), "{parent} is neither root nor unit");
        let id = format!("ou-{}-{}", &self.root[2..], ids::hex_of_length(8));
        self.units.push(Unit { id: id.clone(), name: name.to_owned(), parent: parent.to_owned() });
        id
    }

    pub fn knows_parent(&self, id: &str) -> bool {
        self.root == id || self.units.iter().any(|unit| unit.id == id)
    }

    fn arn(&self, partition: &str, tail: &str) -> String {
        format!("arn:{partition}:organizations::{}:{tail}", self.management)
    }
}

pub fn act(context: &Context) -> Result<Done, Failure> {
    let (world, signer) = (&*context.world, context.signer);
    let Some(organization) = world.organization.as_ref().filter(|it| it.holds(&signer.account)) else {
        let message = "Your account is not a member of an organization.";
        return Err(Failure::new(400, "AWSOrganizationsNotInUseException", message));
    };
    let action = context.request.action.as_str();
    let wish =
        Wish { action: &format!("organizations:{action}"), resource: "*".to_owned(), shown: None, extra: Vec::new() };
    let for_managers = action != "DescribeOrganization" && signer.account != organization.management;
    if for_managers || authorize(world, signer, wish, context.now).is_err() {
        return Err(Failure::denied("You don't have permissions to access this resource."));
    }
    let lister = Lister { context, organization };
    let answer = match action {
        "DescribeOrganization" => Ok(lister.describe()),
        "ListRoots" => Ok(lister.roots()),
        "ListAccounts" => lister.accounts(None),
        "ListAccountsForParent" => lister.parent().and_then(|parent| lister.accounts(Some(parent))),
        "ListOrganizationalUnitsForParent" => lister.parent().and_then(|parent| lister.units(parent)),
        _ => Err(Failure::new(400, "UnknownOperationException", "")),
    }?;
    Ok(Done { body: Body::Json(answer), trail: Value::Null })
}

struct Lister<'a> {
    context: &'a Context<'a>,
    organization: &'a Organization,
}

impl Lister<'_> {
    fn partition(&self) -> &str {
        &self.context.world.account(&self.organization.management).partition
    }

    fn describe(&self) -> Value {
        let organization = self.organization;
        let management = &organization.management;
        let tail = format!("organization/{}", organization.id);
        let account = format!("account/{}/{management}", organization.id);
        json!({"Organization": {
            "Id": organization.id, "Arn": organization.arn(self.partition(), &tail), "FeatureSet": "ALL",
            "MasterAccountId": management, "MasterAccountArn": organization.arn(self.partition(), &account),
            "MasterAccountEmail": format!("{management}@accounts.example"), "AvailablePolicyTypes": [],
        }})
    }

    fn roots(&self) -> Value {
        let organization = self.organization;
        let tail = format!("root/{}/{}", organization.id, organization.root);
        let arn = organization.arn(self.partition(), &tail);
        json!({"Roots": [{"Id": organization.root, "Arn": arn, "Name": "Root", "PolicyTypes": []}]})
    }

    fn parent(&self) -> Result<&str, Failure> {
        let parent = self.context.request.json["ParentId"].as_str().unwrap_or_default();
        if self.organization.knows_parent(parent) {
            return Ok(parent);
        }
        let message = "You specified parent that doesn't exist.";
        Err(Failure::new(400, "ParentNotFoundException", message))
    }

    fn page(&self, total: usize) -> Result<Page, Failure> {
        let request = self.context.request;
        let size = match request.json["MaxResults"].as_u64().map(usize::try_from) {
            None => LARGEST_PAGE,
            Some(Ok(size @ 1..=LARGEST_PAGE)) => size,
            Some(_) => return Err(invalid("You specified an invalid value for MaxResults.")),
        };
        let token = request.json["NextToken"].as_str();
        let page = Page::cut(&request.action, total, size, token, &self.context.world.settings);
        page.ok_or_else(|| invalid("You provided a value for NextToken that is not valid."))
    }

    fn accounts(&self, parent: Option<&str>) -> Result<Value, Failure> {
        let here = |place: &String| parent.is_none_or(|parent| place == parent);
        let places = self.organization.places.iter().filter(|(_, place)| here(place));
        let all: Vec<&Account> = places.map(|(account, _)| self.context.world.account(account)).collect();
        let page = self.page(all.len())?;
        let shown: Vec<Value> = all[page.items.clone()].iter().map(|account| self.account(account)).collect();
        Ok(with_token("Accounts", shown, page))
    }

    fn account(&self, account: &Account) -> Value {
        let fields = self.context.world.settings.account_fields;
        let tail = format!("account/{}/{}", self.organization.id, account.id);
        let mut shown = json!({
            "Id": account.id, "Arn": self.organization.arn(&account.partition, &tail), "Name": account.name,
            "Email": format!("{}@accounts.example", account.id), "JoinedMethod": "CREATED",
            "JoinedTimestamp": account.joined.timestamp(),
        });
        if fields != AccountFields::StateOnly {
            // The older field knows no CLOSED and no PENDING_ACTIVATION.
            let status = if account.state == "CLOSED" { "SUSPENDED" } else { &account.state };
            shown["Status"] = json!(status);
        }
        if fields != AccountFields::StatusOnly {
            shown["State"] = json!(account.state);
        }
        shown
    }

    fn units(&self, parent: &str) -> Result<Value, Failure> {
        let all: Vec<_> = self.organization.units.iter().filter(|unit| unit.parent == parent).collect();
        let page = self.page(all.len())?;
        let unit = |unit: &&Unit| {
            let tail = format!("ou/{}/{}", self.organization.id, unit.id);
            let arn = self.organization.arn(self.partition(), &tail);
            json!({"Id": unit.id, "Arn": arn, "Name": unit.name})
        };
        let shown = all[page.items.clone()].iter().map(unit).collect();
        Ok(with_token("OrganizationalUnits", shown, page))
    }
}

fn invalid(message: &str) -> Failure {
    Failure::new(400, "InvalidInputException", message)
}

fn with_token(name: &str, items: Vec<Value>, page: Page) -> Value {
    let mut answer = Map::from_iter([(name.to_owned(), Value::Array(items))]);
    if let Some(next) = page.next {
        answer.insert("NextToken".to_owned(), Value::String(next));
    }
    Value::Object(answer)
}

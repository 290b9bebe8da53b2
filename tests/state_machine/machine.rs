//! Runs our state machine's own file: the states and fields that it uses, and no others. What it does not know it
//! refuses. Waits between retries are left out; what is retried, and how often, is as the file says.
//! (States Language specification; Step Functions' manual, 'Map state in Distributed mode'.)

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use super::template::{at, filled, look};

/// What the machine reaches outside of itself.
pub trait World: Sync {
    /// # Errors
    /// As the integration `lambda:invoke` names them.
    fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Fault>;
    fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>>;
    fn put(&self, bucket: &str, key: &str, body: Vec<u8>);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub error: String,
    pub cause: String,
}

pub struct Machine<'a, W> {
    states: Value,
    pub world: &'a W,
    /// Tasks that were tried again.
    pub retried: AtomicUsize,
    /// Items whose child execution failed.
    pub failed: AtomicUsize,
}

impl<'a, W: World> Machine<'a, W> {
    /// The definition with its blanks filled in, as CloudFormation and Terraform do.
    pub fn new(definition: &str, blanks: &[(&str, &str)], world: &'a W) -> Self {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("${{{name}}}"), value);
        let text = blanks.iter().fold(definition.to_owned(), fill);
        assert!(!text.contains("${"), "a blank is left in {text}");
        let states = serde_json::from_str(&text).expect("the definition is JSON");
        Self { states, world, retried: AtomicUsize::new(0), failed: AtomicUsize::new(0) }
    }

    /// One execution.
    ///
    /// # Errors
    /// The fault that it failed with.
    pub fn execute(&self, name: &str, input: &Value) -> Result<Value, Fault> {
        known(&self.states, &["Comment", "StartAt", "TimeoutSeconds", "States"]);
        self.flow(&self.states, input.clone(), &json!({"Execution": {"Name": name}}))
    }

    fn flow(&self, flow: &Value, input: Value, context: &Value) -> Result<Value, Fault> {
        let (mut name, mut value) = (word(&flow["StartAt"]).to_owned(), input);
        loop {
            let state = &flow["States"][&name];
            let next;
            (value, next) = match word(&state["Type"]) {
                "Choice" => (value.clone(), Some(choice(state, &value, context))),
                "Fail" => {
                    known(state, &["Type", "Error", "Cause"]);
                    return Err(Fault { error: word(&state["Error"]).into(), cause: word(&state["Cause"]).into() });
                }
                "Pass" => {
                    known(state, &["Type", "Comment", "Parameters", "Next"]);
                    (filled(&state["Parameters"], &value, context), next_of(state))
                }
                "Task" => (self.task(state, &value, context)?, next_of(state)),
                "Map" => match self.map(state, &value, context) {
                    Ok(()) => (value, next_of(state)),
                    Err(fault) => (value, Some(caught(state).ok_or(fault)?)),
                },
                other => panic!("the driver does not know states of type {other}"),
            };
            match next {
                Some(next) => name = next,
                None => return Ok(value),
            }
        }
    }

    fn task(&self, state: &Value, input: &Value, context: &Value) -> Result<Value, Fault> {
        let fields = [
            "Type",
            "Comment",
            "Resource",
            "Parameters",
            "TimeoutSeconds",
            "Retry",
            "ResultPath",
            "OutputPath",
            "Next",
            "End",
        ];
        known(state, &fields);
        assert_eq!(state["Resource"], "arn:aws:states:::lambda:invoke");
        let parameters = filled(&state["Parameters"], input, context);
        known(&parameters, &["FunctionName", "Payload"]);
        let mut tries = vec![0; state["Retry"].as_array().map_or(0, Vec::len)];
        let payload = loop {
            match self.world.invoke(word(&parameters["FunctionName"]), &parameters["Payload"]) {
                Ok(payload) => break payload,
                Err(fault) => {
                    if !again(&state["Retry"], &fault, &mut tries) {
                        return Err(fault);
                    }
                    self.retried.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let result = json!({"StatusCode": 200, "Payload": payload});
        let fields = state.as_object().expect("a state");
        match (fields.get("ResultPath"), fields.get("OutputPath")) {
            (Some(Value::Null), None) => Ok(input.clone()),
            (None, Some(Value::String(path))) => Ok(at(path, &result, context)),
            other => panic!("the driver does not know ResultPath and OutputPath {other:?}"),
        }
    }

    /// Distributed: each item is an execution of its own.
    fn map(&self, state: &Value, input: &Value, context: &Value) -> Result<(), Fault> {
        let fields = [
            "Type",
            "Comment",
            "Label",
            "ItemReader",
            "ItemSelector",
            "MaxConcurrencyPath",
            "ToleratedFailurePercentage",
            "ItemProcessor",
            "ResultWriter",
            "ResultPath",
            "Catch",
            "Next",
        ];
        known(state, &fields);
        assert_eq!(state["ResultPath"], Value::Null);
        let processor = &state["ItemProcessor"];
        assert_eq!(processor["ProcessorConfig"], json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}));
        let items = self.items(&state["ItemReader"], input, context)?;
        let all = items.len();
        let waiting: Mutex<VecDeque<Value>> = Mutex::new(items.into());
        let ended = Mutex::new((Vec::new(), Vec::new()));
        let at_once = at(word(&state["MaxConcurrencyPath"]), input, context).as_u64().expect("a number");
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(all as u64) {
                scope.spawn(|| {
                    loop {
                        let Some(item) = waiting.lock().unwrap().pop_front() else { return };
                        let of_item = with_item(context, &item);
                        let selected = filled(&state["ItemSelector"], input, &of_item);
                        // The name of a child execution is its own.
                        let child = json!({"Execution": {"Name": "child"}});
                        let outcome = self.flow(processor, selected.clone(), &child);
                        let mut ended = ended.lock().unwrap();
                        match outcome {
                            Ok(output) => ended.0.push(json!({"Input": selected, "Output": output})),
                            Err(fault) => {
                                ended.1.push(json!({"Input": selected, "Error": fault.error, "Cause": fault.cause}));
                            }
                        }
                    }
                });
            }
        });
        let (succeeded, failed) = ended.into_inner().unwrap();
        self.failed.fetch_add(failed.len(), Ordering::SeqCst);
        let lost = failed.len();
        self.write(&state["ResultWriter"], input, context, &[("SUCCEEDED_0", succeeded), ("FAILED_0", failed)]);
        let tolerated = state["ToleratedFailurePercentage"].as_u64().expect("a percentage");
        if (lost * 100) as u64 > tolerated * all as u64 {
            return Err(fault("States.ExceedToleratedFailureThreshold", format!("{lost} of {all} failed")));
        }
        Ok(())
    }

    fn items(&self, reader: &Value, input: &Value, context: &Value) -> Result<Vec<Value>, Fault> {
        known(reader, &["Resource", "ReaderConfig", "Parameters"]);
        assert_eq!(
            [&reader["Resource"], &reader["ReaderConfig"]],
            [&json!("arn:aws:states:::s3:getObject"), &json!({"InputType": "JSON"})]
        );
        let place = filled(&reader["Parameters"], input, context);
        let (bucket, key) = (word(&place["Bucket"]), word(&place["Key"]));
        let body = self.world.get(bucket, key).ok_or_else(|| fault("States.ItemReaderFailed", format!("no {key}")))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Array(items)) => Ok(items),
            other => Err(fault("States.ItemReaderFailed", format!("{key} is no array: {other:?}"))),
        }
    }

    fn write(&self, writer: &Value, input: &Value, context: &Value, files: &[(&str, Vec<Value>)]) {
        known(writer, &["Resource", "Parameters"]);
        assert_eq!(writer["Resource"], "arn:aws:states:::s3:putObject");
        let place = filled(&writer["Parameters"], input, context);
        for (name, rows) in files {
            let key = format!("{}/map-run/{name}.json", word(&place["Prefix"]));
            self.world.put(word(&place["Bucket"]), &key, Value::from(rows.clone()).to_string().into_bytes());
        }
    }
}

pub fn fault(error: &str, cause: impl Into<String>) -> Fault {
    Fault { error: error.to_owned(), cause: cause.into() }
}

/// The first retrier that names the error counts, with attempts of its own.
fn again(retriers: &Value, fault: &Fault, tries: &mut [u64]) -> bool {
    let named = |retrier: &Value| {
        retrier["ErrorEquals"].as_array().expect("errors").iter().any(|one| *one == fault.error.as_str())
    };
    let Some(index) = retriers.as_array().and_then(|all| all.iter().position(named)) else { return false };
    let fields = ["ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "MaxAttempts", "JitterStrategy"];
    known(&retriers[index], &fields);
    tries[index] += 1;
    tries[index] <= retriers[index]["MaxAttempts"].as_u64().expect("a number of attempts")
}

/// Of the one kind that we have: everything is caught, and the state's input goes on.
fn caught(state: &Value) -> Option<String> {
    let catchers = state["Catch"].as_array()?;
    let [catcher] = catchers.as_slice() else { panic!("the driver knows one catcher") };
    assert_eq!([&catcher["ErrorEquals"], &catcher["ResultPath"]], [&json!(["States.ALL"]), &Value::Null]);
    Some(word(&catcher["Next"]).to_owned())
}

fn choice(state: &Value, input: &Value, context: &Value) -> String {
    known(state, &["Type", "Comment", "Choices", "Default"]);
    let taken = state["Choices"].as_array().expect("choices").iter().find(|rule| {
        known(rule, &["Variable", "IsPresent", "Next"]);
        look(word(&rule["Variable"]), input, context).is_some() == (rule["IsPresent"] == true)
    });
    word(taken.map_or(&state["Default"], |rule| &rule["Next"])).to_owned()
}

fn next_of(state: &Value) -> Option<String> {
    match (&state["Next"], &state["End"]) {
        (Value::String(next), Value::Null) => Some(next.clone()),
        (Value::Null, Value::Bool(true)) => None,
        other => panic!("where does it go on? {other:?}"),
    }
}

fn with_item(context: &Value, item: &Value) -> Value {
    let mut context = context.as_object().cloned().unwrap_or_else(Map::new);
    context.insert("Map".to_owned(), json!({"Item": {"Value": item}}));
    Value::Object(context)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn known(state: &Value, fields: &[&str]) {
    let unknown: Vec<&String> =
        state.as_object().expect("an object").keys().filter(|name| !fields.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "the driver does not know {unknown:?}");
}

//! launchd's and Windows' files, held against readers of their own kind.

use std::fs;
use std::path::Path;
use std::process::Command;

use keyrot_me::host::schedule::{launchd, windows};

use super::task;

/// What the Python script prints; `None`, said in words, without Python.
fn python(script: &str, file: &Path) -> Option<serde_json::Value> {
    let Ok(ran) = Command::new("python3").args(["-c", script]).arg(file).output() else {
        crate::skip::skip("python3 is not installed: the files for launchd and Windows are not parsed");
        return None;
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

fn words() -> Vec<String> {
    let task = task();
    std::iter::once(task.program.to_str().unwrap().to_owned()).chain(task.arguments).collect()
}

#[test]
fn the_agent_is_a_property_list_with_these_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.plist");
    let log = "/Users/a & b/Library/Logs/keyrot-me.log";
    fs::write(&file, launchd::agent(&task(), Path::new(log))).unwrap();
    let script = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let Some(found) = python(script, &file) else { return };
    let environment: serde_json::Map<_, _> =
        task().environment.into_iter().map(|(name, value)| (name, value.into())).collect();
    let want = serde_json::json!({
        "Label": "me.keyrot.keyrot-me",
        "ProgramArguments": words(),
        "EnvironmentVariables": environment,
        "StartCalendarInterval": { "Hour": 7, "Minute": 5 },
        "ProcessType": "Background",
        "LowPriorityIO": true,
        "ExitTimeOut": 120,
        "Umask": 0o77,
        "StandardErrorPath": log,
    });
    assert_eq!(found, want);
}

/// The types of the Task Scheduler's schema (MS-TSCH 2.5) that a definition of ours uses: for each element its children in
/// their order where order counts, and its text's form.
const SCHEMA: &str = r#"
import json, re, sys
import xml.etree.ElementTree as ET
raw = open(sys.argv[1], 'rb').read()
assert raw[:2] == b'\xff\xfe', 'no byte order mark'
text = raw.decode('utf-16')
assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>\r\n')
root = ET.fromstring(raw)
NS = '{http://schemas.microsoft.com/windows/2004/02/mit/task}'
boolean, duration = '(true|false)', r'P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?'
ALL, SEQUENCE = 'all', 'sequence'
TYPES = {
    'Task': (ALL, ['RegistrationInfo', 'Triggers', 'Settings', 'Data', 'Principals', 'Actions']),
    'RegistrationInfo': (ALL, ['URI', 'SecurityDescriptor', 'Source', 'Date', 'Author', 'Version', 'Description', 'Documentation']),
    'Triggers': (ALL, ['CalendarTrigger']),
    'CalendarTrigger': (SEQUENCE, ['Enabled', 'StartBoundary', 'EndBoundary', 'Repetition', 'ExecutionTimeLimit', 'RandomDelay', 'ScheduleByDay']),
    'ScheduleByDay': (ALL, ['DaysInterval']),
    'Principals': (SEQUENCE, ['Principal']),
    'Principal': (ALL, ['UserId', 'LogonType', 'GroupId', 'DisplayName', 'RunLevel']),
    'Settings': (ALL, ['AllowStartOnDemand', 'RestartOnFailure', 'MultipleInstancesPolicy', 'DisallowStartIfOnBatteries',
        'StopIfGoingOnBatteries', 'AllowHardTerminate', 'StartWhenAvailable', 'NetworkProfileName', 'RunOnlyIfNetworkAvailable',
        'WakeToRun', 'Enabled', 'Hidden', 'DeleteExpiredTaskAfter', 'IdleSettings', 'NetworkSettings', 'ExecutionTimeLimit',
        'Priority', 'RunOnlyIfIdle']),
    'Actions': (SEQUENCE, ['Exec']),
    'Exec': (ALL, ['Command', 'Arguments', 'WorkingDirectory']),
}
FORMS = {
    'Source': '.*', 'Description': '.*', 'Command': '.{1,260}', 'Arguments': '.+',
    'StartBoundary': r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d', 'DaysInterval': '[1-9][0-9]?',
    'LogonType': '(S4U|Password|InteractiveToken|InteractiveTokenOrPassword)', 'RunLevel': '(LeastPrivilege|HighestAvailable)',
    'MultipleInstancesPolicy': '(Parallel|Queue|IgnoreNew|StopExisting)', 'ExecutionTimeLimit': duration, 'Enabled': boolean,
    'DisallowStartIfOnBatteries': boolean, 'StopIfGoingOnBatteries': boolean, 'StartWhenAvailable': boolean,
    'RunOnlyIfNetworkAvailable': boolean,
}
def check(element, attributes):
    name = element.tag.removeprefix(NS)
    assert element.tag.startswith(NS), element.tag
    assert set(element.attrib) <= attributes.get(name, set()), (name, element.attrib)
    children = [child.tag.removeprefix(NS) for child in element]
    if name in FORMS:
        assert not children and re.fullmatch(FORMS[name], element.text), (name, element.text)
        return
    order, known = TYPES[name]
    assert children and len(set(children)) == len(children) and set(children) <= set(known), (name, children)
    assert order == ALL or children == sorted(children, key=known.index), (name, children)
    for child in element:
        check(child, attributes)
check(root, {'Task': {'version'}, 'Principal': {'id'}, 'Actions': {'Context'}})
assert root.get('version') in ('1.2', '1.3', '1.4')
assert root.find(f'{NS}Actions').get('Context') == root.find(f'{NS}Principals/{NS}Principal').get('id')
exec_ = root.find(f'{NS}Actions/{NS}Exec')
print(json.dumps({'command': exec_.find(f'{NS}Command').text, 'arguments': exec_.find(f'{NS}Arguments').text,
    'start': root.find(f'{NS}Triggers/{NS}CalendarTrigger/{NS}StartBoundary').text}))
"#;

#[test]
fn the_task_is_what_the_schema_of_windows_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.xml");
    fs::write(&file, windows::bytes(&windows::definition(&task()))).unwrap();
    let Some(found) = python(SCHEMA, &file) else { return };
    assert_eq!(found["command"], words()[0]);
    assert_eq!(found["start"], "2026-01-05T07:05:00");
    // CommandLineToArgvW's rules, from Microsoft's page on it.
    assert_eq!(
        found["arguments"],
        "plain \"two words\" \"say \\\"hi\\\"\" it's \"100 %h %%\" \"$HOME ${HOME} $$\" back\\slash trailing\\ \
         \"trailing space and \\\\\\\\\\\"\" \"<a & b>\" \"größe 鍵\" \"\" ; -x=#y"
    );
}

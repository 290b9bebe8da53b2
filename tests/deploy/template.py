"""tests/deploy/template.py TEMPLATE: a CloudFormation template as JSON, its short forms (!Ref, !Sub, …) written out.

tests/deploy/template.py --patterns TEMPLATE: reads {"parameter": ["value", …]} and prints those that are refused, in the same
form; AllowedPattern has to match the whole value, of a list each member (CloudFormation user guide, 'Parameters').
"""

import json
import re
import sys
from pathlib import Path

import yaml


class Loader(yaml.SafeLoader):
    """A loader of its own: PyYAML keeps constructors by class."""


def written_out(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else "Fn::" + tag: value}


Loader.add_multi_constructor("!", written_out)


def refused(parameter, value):
    allowed = [str(one) for one in parameter.get("AllowedValues", [])]
    if allowed:
        return value not in allowed
    if parameter["Type"] == "Number":
        number = re.fullmatch(r"-?[0-9]+", value) and int(value)
        return number is None or not parameter["MinValue"] <= number <= parameter["MaxValue"]
    values = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    return not all(re.fullmatch(parameter["AllowedPattern"], one) for one in values)


def main():
    template = yaml.load(Path(sys.argv[-1]).read_text("utf-8"), Loader)
    if sys.argv[1] == "--patterns":
        asked = json.load(sys.stdin)
        answer = {name: [value for value in values if refused(template["Parameters"][name], value)] for name, values in asked.items()}
    else:
        answer = template
    print(json.dumps(answer, separators=(",", ":")))


main()

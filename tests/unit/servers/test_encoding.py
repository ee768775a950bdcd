"""The encoder: what it wraps, what it refuses, and that Ansible executes none of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from provision.servers.encoding import UNSAFE, CannotEncode, encode, encode_inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSIBLE_PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"


def test_every_string_is_wrapped_at_every_depth() -> None:
    encoded = json.loads(encode({"a": "x", "b": [{"c": "y"}, 1, 2.5, True, None]}))
    assert encoded == {"a": {UNSAFE: "x"}, "b": [{"c": {UNSAFE: "y"}}, 1, 2.5, True, None]}


@pytest.mark.parametrize(
    "key", ["__ansible_unsafe", "__ansible_vault", "{{ x }}", "a b", "", "1a", "é", "a\n", 7]
)
def test_a_key_that_is_no_name_is_refused(key: str) -> None:
    with pytest.raises(CannotEncode):
        encode({"deep": [{key: "value"}]})


@pytest.mark.parametrize("value", [SecretStr("x"), b"x", object(), {1, 2}, "\ud800"])
def test_what_is_no_plain_value_is_refused(value: object) -> None:
    with pytest.raises(CannotEncode):
        encode({"a": value})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_as_it_was(text: str) -> None:
    assert json.loads(encode({"a": text}))["a"][UNSAFE] == text


def test_an_inventory_refuses_odd_host_and_group_names() -> None:
    with pytest.raises(CannotEncode):
        encode_inventory({"a b": {}}, {})
    with pytest.raises(CannotEncode):
        encode_inventory({}, {"{{ x }}": []})


def payloads(marker: Path) -> Iterator[str]:
    """At least a hundred texts, each of which makes `marker` when something executes it."""
    touch = f"touch {marker}"
    calls = [
        f"lookup('pipe', '{touch}')",
        f'lookup("pipe", "{touch}")',
        f"query('ansible.builtin.pipe', '{touch}')",
        f"q('pipe', '{touch}')",
        f"lookup('ansible.builtin.lines', '{touch}')",
        f"('{touch}' | map('pipe') | list) or lookup('pipe', '{touch}')",
        f"cycler.__init__.__globals__.os.popen('{touch}').read()",
        f"lipsum.__globals__['os'].popen('{touch}').read()",
        f"self.__init__.__globals__.__builtins__.__import__('os').system('{touch}')",
        f"''.__class__.__mro__[1].__subclasses__() and lookup('pipe', '{touch}')",
    ]
    frames = [
        "{{{{ {} }}}}",
        "{{{{{}}}}}",
        "{{%- if {} %}}x{{%- endif %}}",
        "{{% set x = {} %}}{{{{ x }}}}",
        "Camille {{{{ {} }}}} Dupont",
        "{{{{ {} | string }}}}",
        "{{# #}}{{{{ {} }}}}",
        "#jinja2: variable_start_string:'{{{{'\n{{{{ {} }}}}",
        "!unsafe {{{{ {} }}}}",
        "'{{{{ {} }}}}'",
    ]
    yield from (frame.format(call) for frame in frames for call in calls)
    yield from (f"$({touch})", f"`{touch}`", f"; {touch} ;", f"| {touch}", f"'; {touch}; '")
    yield f'!!python/object/apply:os.system ["{touch}"]'
    yield f'{{"__ansible_unsafe": "x"}}{{{{ lookup("pipe", "{touch}") }}}}'


PLAY = """
- name: Every way that a text goes
  hosts: all
  gather_facts: false
  vars_files: [{folder}/vars_files.json]
  tasks:
    - name: Include more
      ansible.builtin.include_vars: {{file: {folder}/include_vars.json}}
    - name: "Say {{{{ texts[0] }}}}"
      ansible.builtin.debug: {{msg: "{{{{ item }}}}"}}
      loop: ["{{{{ texts | first }}}}", "{{{{ from_vars_files }}}}", "{{{{ from_script }}}}"]
    - name: Write them where a test can read them
      ansible.builtin.copy:
        dest: {folder}/seen.json
        mode: "0600"
        content: "{{{{ [texts, from_vars_files, from_include_vars, from_inventory, from_script,
          from_runner, from_inline, from_group] | to_json }}}}"
"""


def lay_out(folder: Path, texts: list[str]) -> None:
    """Write the same texts for each of the eight channels that execute plain text."""
    for name in ("vars_files", "include_vars"):
        (folder / f"{name}.json").write_text(encode({f"from_{name}": texts}))
    (folder / "texts.json").write_text(encode({"texts": texts}))
    (folder / "runner.json").write_text(encode({"from_runner": texts}))
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"machine": {**local, "from_inventory": texts}}
    (folder / "inventory.json").write_text(encode_inventory(hosts, {"bundles": ["machine"]}))
    group = json.loads(encode({"from_group": texts}))
    grouped = {"bundles": {"hosts": {"machine": None}, "vars": group}}
    (folder / "group.json").write_text(json.dumps(grouped))
    script = json.loads(encode({"from_script": texts}))
    answer = {"_meta": {"hostvars": {"machine": script}}, "bundles": {"hosts": ["machine"]}}
    (folder / "script.sh").write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    (folder / "script.sh").chmod(0o700)
    (folder / "play.yml").write_text(PLAY.format(folder=folder))


def test_nothing_is_executed_on_any_of_the_eight_channels(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    texts = list(payloads(marker))
    assert len(texts) >= 100
    lay_out(tmp_path, texts)
    command = [str(ANSIBLE_PLAYBOOK), str(tmp_path / "play.yml")]
    for name in ("inventory.json", "group.json", "script.sh"):
        command += ["-i", str(tmp_path / name)]
    command += ["-e", f"@{tmp_path}/texts.json", "-e", f"@{tmp_path}/runner.json"]
    command += ["-e", encode({"from_inline": texts})]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    played = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert played.returncode == 0, played.stdout[-2000:] + played.stderr
    assert json.loads((tmp_path / "seen.json").read_text()) == [texts] * 8
    assert not marker.exists()


def test_the_same_texts_are_executed_without_the_encoder(tmp_path: Path) -> None:
    """The test above can fail: Ansible still executes plain extra vars."""
    marker = tmp_path / "executed"
    lay_out(tmp_path, ["harmless"])
    first = next(iter(payloads(marker)))
    command = [str(ANSIBLE_PLAYBOOK), str(tmp_path / "play.yml")]
    for name in ("inventory.json", "group.json", "script.sh"):
        command += ["-i", str(tmp_path / name)]
    command += ["-e", encode({"from_inline": [], "from_runner": []})]
    command += ["-e", json.dumps({"texts": [first]})]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    subprocess.run(command, capture_output=True, env=environment, check=False)
    assert marker.exists()

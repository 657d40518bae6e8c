#!/usr/bin/env python3
"""Makes plans.bin, the numbering plans of the world, from libphonenumber's metadata.

    pip download phonenumbers==9.0.42 --no-deps --only-binary :all: -d DIR
    python3 src/numbering/table/generate.py DIR/phonenumbers-9.0.42-py2.py3-none-any.whl

To update: change VERSION and WHEEL_SHA256 here, VERSION in SOURCE.md, and the development dependency
on `rlibphonenumber` to a release with the same metadata; tests/numbering.rs compares the two.

Layout, all numbers little endian (read by ../table.rs):
  magic "LSNP", u16 layout, u16 section count, u32 start of each section (and of the end)
  0 states    10 x u16 next state, u16 outcome      state 0 is dead; outcome 0 is "no number ends here"
  1 outcomes  u8 region, u8 kind                    outcome 1 is "matches the general pattern"
  2 codes     u16 code, u16 root state, u32 possible lengths, u8 main region, u8 formats, u16 first format
  3 regions   see REGION below
  4 programs  bytecode of small regular expressions, see Program
  5 formats   u16 pattern, u16 leading digits (0xFFFF: any), u16 national text, u8 its length,
              u8 which (1 national, 2 international), u16 international text, u8 its length, u8 0
  6 text      bytes; \\1 to \\6 in a format stand for the groups
"""
import hashlib
import os
import re
import re._parser as parser
import struct
import sys

VERSION = "9.0.42"
WHEEL_SHA256 = "321c92d9734bfb4adc64575f940da26463f09fc79ac692b43a35f9306e4ecc7d"
LAYOUT = 1
MAX_LENGTH = 17                 # digits in a national number, libphonenumber's own limit
NONE = 0xFFFF
MATCH, SET, SPLIT, JUMP, SAVE, END = range(6)
MOBILE, FIXED, FIXED_OR_MOBILE, OTHER = 1, 2, 3, 4


class Program:
    """A Thompson program: SET mask, SPLIT first second, JUMP to, SAVE slot, END, MATCH."""

    def __init__(self, pattern):
        self.ops = []
        self.emit_all(parser.parse(pattern))
        self.ops.append((MATCH,))

    def emit_all(self, nodes):
        for op, arg in nodes:
            self.emit(str(op), arg)

    def emit(self, op, arg):
        if op == "LITERAL":
            self.ops.append((SET, 1 << int(chr(arg))))
        elif op == "IN":
            self.ops.append((SET, self.mask(arg)))
        elif op == "SUBPATTERN":
            group = arg[0]
            if group is not None:
                self.ops.append((SAVE, group * 2))
            self.emit_all(arg[3])
            if group is not None:
                self.ops.append((SAVE, group * 2 + 1))
        elif op == "BRANCH":
            jumps = []
            for i, branch in enumerate(arg[1]):
                last = i == len(arg[1]) - 1
                if not last:
                    split = len(self.ops)
                    self.ops.append(None)
                self.emit_all(branch)
                if not last:
                    jumps.append(len(self.ops))
                    self.ops.append(None)
                    self.ops[split] = (SPLIT, split + 1, len(self.ops))
            for j in jumps:
                self.ops[j] = (JUMP, len(self.ops))
        elif op == "MAX_REPEAT":
            low, high, body = arg
            assert high <= MAX_LENGTH, "an unbounded repeat"
            for _ in range(low):
                self.emit_all(body)
            splits = []
            for _ in range(high - low):
                splits.append(len(self.ops))
                self.ops.append(None)
                self.emit_all(body)
            for s in splits:
                self.ops[s] = (SPLIT, s + 1, len(self.ops))
        elif op == "AT" and str(arg) == "AT_END":
            self.ops.append((END,))
        else:
            raise ValueError(f"unknown piece of a pattern: {op} {arg}")

    @staticmethod
    def mask(items):
        m = 0
        for op, arg in items:
            if str(op) == "LITERAL":
                m |= 1 << int(chr(arg))
            elif str(op) == "RANGE":
                for c in range(arg[0], arg[1] + 1):
                    m |= 1 << int(chr(c))
            elif str(op) == "CATEGORY" and str(arg) == "CATEGORY_DIGIT":
                m |= 0x3FF
            else:
                raise ValueError(f"unknown piece of a set: {op} {arg}")
        return m

    def closure(self, pcs):
        seen, todo = set(), list(pcs)
        while todo:
            pc = todo.pop()
            if pc in seen:
                continue
            seen.add(pc)
            op = self.ops[pc]
            if op[0] == SPLIT:
                todo += op[1:]
            elif op[0] == JUMP:
                todo.append(op[1])
            elif op[0] == SAVE:
                todo.append(pc + 1)
            else:
                assert op[0] in (SET, MATCH), "an anchor in a validity pattern"
        return frozenset(pc for pc in seen if self.ops[pc][0] in (SET, MATCH))

    def step(self, pcs, digit):
        return self.closure(pc + 1 for pc in pcs if self.ops[pc][0] == SET and self.ops[pc][1] >> digit & 1)

    def accepts(self, pcs):
        return any(self.ops[pc][0] == MATCH for pc in pcs)

    def bytecode(self):
        at, n = [], 0
        for op in self.ops:
            at.append(n)
            n += {MATCH: 1, SET: 3, SPLIT: 5, JUMP: 3, SAVE: 2, END: 1}[op[0]]
        out = b""
        for op in self.ops:
            if op[0] == SET:
                out += struct.pack("<BH", SET, op[1])
            elif op[0] == SPLIT:
                out += struct.pack("<BHH", SPLIT, at[op[1]], at[op[2]])
            elif op[0] == JUMP:
                out += struct.pack("<BH", JUMP, at[op[1]])
            elif op[0] == SAVE:
                assert op[1] < 14, "more than six groups"
                out += struct.pack("<BB", SAVE, op[1])
            else:
                out += struct.pack("<B", op[0])
        return out


class Table:
    def __init__(self):
        self.states, self.state_id = [], {}
        self.outcomes, self.outcome_id = [(0xFF, 0), (0xFF, 0)], {}
        self.programs, self.program_at = b"", {}
        self.formats = []
        self.text, self.text_at = b"", {}
        dead = (0,) * 11
        self.state_id[dead] = 0
        self.states.append(dead)

    def state(self, row):
        if row not in self.state_id:
            self.state_id[row] = len(self.states)
            self.states.append(row)
        return self.state_id[row]

    def outcome(self, region, kind):
        key = (region, kind)
        if key not in self.outcome_id:
            self.outcome_id[key] = len(self.outcomes)
            self.outcomes.append(key)
        return self.outcome_id[key]

    def string(self, s):
        if s not in self.text_at:
            self.text_at[s] = len(self.text)
            self.text += s.encode("ascii")
        assert len(s) < 256
        return self.text_at[s], len(s)

    def program(self, pattern):
        if not pattern:
            return NONE
        if pattern not in self.program_at:
            self.program_at[pattern] = len(self.programs)
            self.programs += Program(pattern).bytecode()
        return self.program_at[pattern]

    def automaton(self, progs, judge):
        """The minimal automaton of all patterns at once; `judge(matching, length)` gives the outcome."""
        memo = {}

        def build(sets, length):
            key = (sets, length)
            if key in memo:
                return memo[key]
            if not any(sets):
                return 0
            out = judge([bool(s) and p.accepts(s) for p, s in zip(progs, sets)], length)
            row = [0] * 10
            if length < MAX_LENGTH:
                for d in range(10):
                    row[d] = build(tuple(p.step(s, d) if s else s for p, s in zip(progs, sets)), length + 1)
            memo[key] = self.state(tuple(row) + (out,))
            return memo[key]

        return build(tuple(p.closure([0]) for p in progs), 0)


def lengths_mask(lengths):
    return sum(1 << n for n in lengths if n > 0)


OTHERS = ["premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"]
ANY_DIGITS = r"\d{0,17}"


def desc(meta, name):
    d = getattr(meta, name)
    return d if d is not None and d.national_number_pattern else None


def code_automaton(table, metas, ids):
    """Which region and kind a national number behind this calling code has: libphonenumber's
    getRegionCodeForNumber and getNumberType in one walk."""
    progs, plan = [], []

    def add(pattern):
        progs.append(Program(pattern))
        return len(progs) - 1

    for meta in metas:
        leading = len(metas) > 1 and meta.leading_digits
        kinds = [(k, d, add(d.national_number_pattern)) for k in OTHERS + ["fixed_line", "mobile"]
                 if (d := desc(meta, k))]
        general = desc(meta, "general_desc")
        same = (meta.fixed_line and meta.mobile
                and meta.fixed_line.national_number_pattern == meta.mobile.national_number_pattern)
        plan.append((add(f"(?:{leading}){ANY_DIGITS}") if leading else None,
                     (general, add(general.national_number_pattern)), kinds, same))

    def fits(d, index, hit, length):
        return hit[index] and (not d.possible_length or d.possible_length == (-1,) or length in d.possible_length)

    def kind_of(p, hit, length):
        _, (general, gi), kinds, same = p
        if not fits(general, gi, hit, length):
            return 0
        matching = {k for k, d, i in kinds if fits(d, i, hit, length)}
        if matching & set(OTHERS):
            return OTHER
        if "fixed_line" in matching:
            return FIXED_OR_MOBILE if same or "mobile" in matching else FIXED
        return MOBILE if "mobile" in matching and not same else 0

    def judge(hit, length):
        for region, p in zip(ids, plan):
            if len(plan) == 1 or (hit[p[0]] if p[0] is not None else kind_of(p, hit, length)):
                kind = kind_of(p, hit, length)
                return table.outcome(region, kind) if kind else 0
        return 0

    return table.automaton(progs, judge)


def add_formats(table, meta):
    first = len(table.formats)

    def texts(f):
        national = f.format
        if f.national_prefix_formatting_rule:
            national = re.sub(r"\\\d", lambda m: f.national_prefix_formatting_rule.replace("\\1", m.group(0)),
                              national, count=1)
        return encode(national), encode(f.format)

    def encode(s):
        return re.sub(r"\\(\d)", lambda m: chr(int(m.group(1))), s)

    international = meta.intl_number_format
    for which, formats in ((1 if international else 3, meta.number_format), (2, international or [])):
        for f in formats:
            national, plain = texts(f)
            leading = f.leading_digits_pattern[-1] if f.leading_digits_pattern else None
            table.formats.append((table.program(f.pattern), table.program(leading), *table.string(national), which,
                                  *table.string(plain)))
    return first, len(table.formats) - first


REGION = "<3sB HH II HHBB HB HB HB"    # see the order in main()


def main():
    wheel = sys.argv[1]
    assert hashlib.sha256(open(wheel, "rb").read()).hexdigest() == WHEEL_SHA256, "another wheel than the pinned one"
    sys.path.insert(0, wheel)
    import phonenumbers as P
    assert P.__version__ == VERSION
    meta_of = P.PhoneMetadata
    table = Table()
    metas = {}                                     # (region code, calling code) -> metadata
    for code, regions in sorted(P.COUNTRY_CODE_TO_REGION_CODE.items()):
        for region in regions:
            metas[(region, code)] = (meta_of.metadata_for_nongeo_region(code, None) if region == "001"
                                     else meta_of.metadata_for_region(region, None))
    keys = sorted(metas)
    ids = {k: i for i, k in enumerate(keys)}
    assert len(keys) < 255
    codes = b""
    for code, regions in sorted(P.COUNTRY_CODE_TO_REGION_CODE.items()):
        group = [metas[(r, code)] for r in regions]
        root = code_automaton(table, group, [ids[(r, code)] for r in regions])
        first, count = add_formats(table, group[0])
        possible = 0
        for m in group:
            possible |= lengths_mask(m.general_desc.possible_length)
        codes += struct.pack("<HHIBBH", code, root, possible, ids[(regions[0], code)], count, first)
    regions = b""
    for key in keys:
        m = metas[key]
        general = m.general_desc
        root = table.automaton([Program(general.national_number_pattern)], lambda hit, _: 1 if hit[0] else 0)
        rule = re.sub(r"\\(\d)", lambda g: chr(int(g.group(1))), m.national_prefix_transform_rule or "")
        example = {}
        for k in ["mobile", "fixed_line"] + OTHERS + ["general_desc"]:
            d = getattr(m, k)
            if d is not None and d.example_number:
                example.setdefault(k, d.example_number)
        any_example = next(iter(example.values()))
        regions += struct.pack(
            REGION, key[0].encode(), 0, key[1], root,
            lengths_mask(general.possible_length), lengths_mask(general.possible_length_local_only or ()),
            table.program(m.national_prefix_for_parsing), table.program(m.international_prefix),
            groups(m), 0,
            *table.string(rule), *table.string(example.get("mobile", any_example)),
            *table.string(example.get("fixed_line", any_example)))
    states = b"".join(struct.pack("<11H", *row) for row in table.states)
    assert len(table.states) < 65536 and len(table.programs) < NONE and len(table.text) < NONE
    sections = [states, b"".join(struct.pack("<BB", *o) for o in table.outcomes), codes, regions, table.programs,
                b"".join(struct.pack("<HHHBBHBB", *f, 0) for f in table.formats), table.text]
    at = 8 + 4 * (len(sections) + 1)
    head = b"LSNP" + struct.pack("<HH", LAYOUT, len(sections))
    for s in sections:
        head += struct.pack("<I", at)
        at += len(s)
    head += struct.pack("<I", at)
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plans.bin")
    with open(out, "wb") as f:
        f.write(head + b"".join(sections))
    print(f"{out}: {at} bytes, {len(table.states)} states, {len(table.outcomes)} outcomes, {len(keys)} regions, "
          f"{len(table.programs)} bytes of programs, {len(table.formats)} formats, {len(table.text)} of text")


def groups(meta):
    return re.compile(meta.national_prefix_for_parsing).groups if meta.national_prefix_for_parsing else 0


if __name__ == "__main__":
    main()

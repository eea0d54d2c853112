"""The body of one function, statement by statement.

Operations on whole arrays become loops into fresh arrays, which stand before the statement that needs them. Nothing
that is pulled forward like this changes anything, so it may stand outside of a condition.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from engine import randomness
from engine.translation.sources import Untranslatable, meaning_of, plain_function
from engine.translation.syntax import (
    ARRAY,
    BOOL,
    FLOAT,
    INT,
    PHILOX,
    PRIMITIVES,
    VOID,
    Assign,
    Binary,
    Break,
    Build,
    Call,
    Constant,
    Convert,
    Do,
    Expression,
    FieldOf,
    For,
    If,
    Instruction,
    Item,
    Length,
    Logic,
    Negative,
    New,
    Not,
    Program,
    Put,
    RecordType,
    Relation,
    Return,
    Selection,
    ValueType,
    Variable,
    While,
    calls_in,
    names_read,
)

_ARITHMETIC: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARED: Final = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
_RESULT: Final = "<result>"


class Translated(Protocol):
    """What a body asks of what is translated around it."""

    program: Program
    own_records: dict[Any, RecordType]

    def function(self, function: Callable[..., Any], arguments: Sequence[ValueType]) -> tuple[str, ValueType]:
        """The name and the result of a function."""

    def record(self, kind: Any, types: Sequence[ValueType]) -> RecordType:
        """The record of a named tuple's class, or of a plain tuple."""


class Retyped(Exception):
    """A variable takes more than was known when it was first used: translate once more."""


@dataclass
class LazyArray:
    """An array that is not there yet: its length, and each of its numbers."""

    length: Expression
    item: Callable[[Expression], Expression]


Computed = Expression | LazyArray


class FunctionBody:
    """One function, for arguments of given types. `types` grows from round to round."""

    def __init__(
        self, translator: Translated, function: Any, tree: ast.FunctionDef, arguments: Sequence[ValueType],
        types: dict[str, ValueType],
    ) -> None:  # fmt: skip
        self._translator, self._function, self._tree, self._types = translator, function, tree, types
        self.parameters = [one.arg for one in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)]
        if tree.args.vararg or tree.args.kwarg:
            raise self._cannot("takes any number of arguments")
        if len(self.parameters) != len(arguments):
            raise self._cannot("is called with another number of arguments than it takes")
        for name, kind in zip(self.parameters, arguments, strict=True):
            types.setdefault(name, kind)
        self._assigned = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._out: list[Instruction] = []
        self._temporaries = 0
        self._temporary_names: set[str] = set()
        self._bound_counter: dict[str, ValueType] = {}  # counters of the loops around

    def translate(self) -> list[Instruction]:
        """All statements. Raises Retyped when the types have changed meanwhile."""
        before = dict(self._types)
        found = self._block(self._tree.body)
        if self._types != before:
            raise Retyped
        while unread := self._unread(found):
            for name in unread:
                del self._types[name]
            found = list(_without(found, unread))
        return found

    def _unread(self, body: Sequence[Instruction]) -> set[str]:
        """Temporary names that nothing reads, and whose values take no call of another function."""
        read = set(names_read(tuple(body)))
        return {
            one.name
            for one in _assignments(body)
            if one.name in self._temporary_names - read and all(call.primitive for call in calls_in(one.value))
        }

    def _cannot(self, what: str) -> Untranslatable:
        return Untranslatable(f"{self._function.__name__} {what}")

    # --- Names and types

    def _temporary(self, kind: ValueType) -> Variable:
        self._temporaries += 1
        name = f"t{self._temporaries}"
        while name in self._assigned or name in self.parameters:
            self._temporaries += 1
            name = f"t{self._temporaries}"
        self._types[name] = kind
        self._temporary_names.add(name)
        return Variable(name, kind)

    def _counter(self) -> Variable:
        self._temporaries += 1
        return Variable(f"c{self._temporaries}", INT)

    def _take(self, name: str, kind: ValueType) -> ValueType:
        """The type of a variable after it also takes this one."""
        known = self._types.get(name)
        joined = kind if known is None else self._joined(known, kind)
        if joined != known:
            if name in self.parameters:
                raise self._cannot(f"gives its parameter {name} another type")
            self._types[name] = joined
        return joined

    def _joined(self, one: ValueType, other: ValueType) -> ValueType:
        if one == other:
            return one
        if {one, other} <= {FLOAT, INT, BOOL} and isinstance(one, str) and isinstance(other, str):
            return FLOAT if FLOAT in (one, other) else INT
        raise self._cannot(f"mixes {_said(one)} and {_said(other)}")

    def _as(self, value: Expression, kind: ValueType) -> Expression:
        if value.type == kind:
            return value
        if isinstance(value, Constant) and kind in (FLOAT, INT):
            return Constant(float(value.value) if kind == FLOAT else int(value.value), kind)
        if value.type in (INT, BOOL) and kind in (FLOAT, INT):
            return Convert(value, kind)
        raise self._cannot(f"needs {_said(kind)} and gets {_said(value.type)}")

    # --- Statements

    def _block(self, nodes: Sequence[ast.stmt]) -> list[Instruction]:
        outer, self._out = self._out, []
        rest = list(nodes)
        while rest:
            node = rest.pop(0)
            if isinstance(node, ast.If) and _ends_with_continue(node.body) and not node.orelse:
                # if a: b; continue   rest   ->   if a: b   else: rest
                self._if(ast.If(node.test, node.body[:-1], rest))
                break
            self._statement(node)
        found, self._out = self._out, outer
        return found

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                return
            case ast.Expr(value=ast.Call() as call):
                done = self._call(call)
                if not isinstance(done, Call):
                    raise self._cannot("has a statement that does nothing")
                self._out.append(Do(done))
            case ast.Assign(targets=targets, value=value):
                self._assign_all(targets, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign_all([target], value)
            case ast.AugAssign(target=target, op=op, value=value):
                read = ast.parse(ast.unparse(target), mode="eval").body
                self._assign_all([target], ast.BinOp(read, op, value))
            case ast.If():
                self._if(node)
            case ast.While(test=test, body=body, orelse=[]):
                self._while(test, body)
            case ast.For(target=ast.Name(id=name), iter=steps, body=body, orelse=[]):
                self._for(name, steps, body)
            case ast.Return(value=value):
                self._return(value)
            case ast.Break():
                self._out.append(Break())
            case _:
                raise self._cannot(f"has a statement that has no translation: {ast.unparse(node).splitlines()[0]!r}")

    def _if(self, node: ast.If) -> None:
        test = self._truth(node.test)
        if isinstance(test, Constant):  # settled by constants or types
            self._out += self._block(node.body if test.value else node.orelse)
            return
        yes, no = self._block(node.body), self._block(node.orelse)
        self._out.append(If(test, tuple(yes), tuple(no)) if yes or not no else If(Not(test), tuple(no), ()))

    def _while(self, test: ast.expr, body: Sequence[ast.stmt]) -> None:
        outer, self._out = self._out, []
        wanted = self._truth(test)
        before, self._out = self._out, outer
        inner = self._block(body)
        if before:
            inner = [*before, If(Not(wanted), (Break(),), ()), *inner]
            wanted = Constant(True, BOOL)
        self._out.append(While(wanted, tuple(inner)))

    def _for(self, name: str, steps: ast.expr, body: Sequence[ast.stmt]) -> None:
        if not (
            isinstance(steps, ast.Call)
            and isinstance(steps.func, ast.Name)
            and self._meaning(steps.func.id) is range
            and not steps.keywords
        ):
            raise self._cannot(f"loops over {ast.unparse(steps)!r}; only range(...) has a translation")
        bounds = [self._as(self._scalar(one), INT) for one in steps.args]
        start, stop = (Constant(0, INT), bounds[0]) if len(bounds) == 1 else bounds[:2]
        step = bounds[2] if len(bounds) == 3 else Constant(1, INT)
        if isinstance(step, Negative) and isinstance(step.of, Constant):
            step = Constant(-step.of.value, INT)
        if not isinstance(step, Constant) or step.value == 0:
            self._stride(name, start, self._settled(stop), self._settled(step), body)
            return
        stop = self._settled(stop)
        if self._only_counts(name) and name not in self._types:
            shadowed = self._bound_counter
            self._bound_counter = {**shadowed, name: INT}
            inner = self._block(body)
            self._bound_counter = shadowed
            self._out.append(For(name, start, stop, int(step.value), tuple(inner)))
            return
        counter = self._counter()
        kind = self._take(name, INT)
        inner = self._block(body)
        first = Assign(name, self._as(counter, kind))
        self._out.append(For(counter.id, start, stop, int(step.value), (first, *inner)))

    def _stride(
        self, name: str, start: Expression, stop: Expression, step: Expression, body: Sequence[ast.stmt]
    ) -> None:
        """A loop in steps whose sign is not known before."""
        counter, zero = self._temporary(INT), Constant(0, INT)
        kind = self._take(name, INT)
        self._out.append(Assign(counter.id, start))
        up = Logic("and", Relation(">", step, zero), Relation("<", counter, stop))
        down = Logic("and", Relation("<", step, zero), Relation(">", counter, stop))
        first = Assign(name, self._as(counter, kind))
        last = Assign(counter.id, Binary("+", counter, step, INT))
        self._out.append(While(Logic("or", up, down), (first, *self._block(body), last)))

    def _only_counts(self, name: str) -> bool:
        """Whether a name is nothing but the counter of loops."""
        inside: set[int] = set()
        for loop in ast.walk(self._tree):
            if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and loop.target.id == name:
                inside.add(id(loop.target))
                inside |= {id(node) for part in loop.body for node in ast.walk(part) if isinstance(node, ast.Name)
                           and isinstance(node.ctx, ast.Load)}  # fmt: skip
        return name not in self.parameters and all(
            id(node) in inside for node in ast.walk(self._tree) if isinstance(node, ast.Name) and node.id == name
        )

    def _return(self, node: ast.expr | None) -> None:
        if node is None:
            self._take(_RESULT, VOID)
            self._out.append(Return(None))
            return
        value = self._scalar(node)
        kind = self._take(_RESULT, value.type)
        self._out.append(Return(self._as(value, kind)))

    def _assign_all(self, targets: Sequence[ast.expr], node: ast.expr) -> None:
        if len(targets) > 1:
            raise self._cannot("assigns to several names at once")
        target = targets[0]
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, node)
            return
        self._assign(target, self._value(node))

    def _unpack(self, targets: Sequence[ast.expr], node: ast.expr) -> None:
        if isinstance(node, ast.Tuple):
            parts: list[Expression] = []
            for one in node.elts:  # all are read before the first is assigned
                part = self._scalar(one)
                if not isinstance(part, Constant):
                    fresh = self._temporary(part.type)
                    self._out.append(Assign(fresh.id, part))
                    part = fresh
                parts.append(part)
        else:
            value = self._scalar(node)
            if not isinstance(value.type, RecordType):
                raise self._cannot(f"takes {ast.unparse(node)!r} apart, which is no tuple")
            if isinstance(value, Build):
                parts = [self._settled(part) for part in value.arguments]
            else:
                fields, settled = value.type.fields, self._settled(value)
                parts = [FieldOf(settled, name, kind) for name, kind in fields]
        if len(parts) != len(targets):
            raise self._cannot(f"takes {ast.unparse(node)!r} apart into another number of names")
        read = {
            node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        for target, part in zip(targets, parts, strict=True):
            if not isinstance(target, ast.Name) or target.id in read:
                self._assign(target, part)

    def _assign(self, target: ast.expr, value: Computed) -> None:
        if isinstance(target, ast.Name):
            found = self._made(value) if isinstance(value, LazyArray) else value
            kind = self._take(target.id, found.type)
            if target.id in self._bound_counter:
                raise self._cannot(f"assigns to the counter {target.id}")
            self._out.append(Assign(target.id, self._as(found, kind)))
        elif isinstance(target, ast.Subscript):
            array = self._settled(self._scalar(target.value))
            if array.type != ARRAY:
                raise self._cannot(f"changes {ast.unparse(target)!r}, which is no array")
            if isinstance(target.slice, ast.Slice):
                self._assign_slice(array, target.slice, value)
            else:
                index = self._index(array, target.slice)
                number = value if not isinstance(value, LazyArray) else self._made(value)
                self._out.append(Put(array, index, self._as(number, FLOAT)))
        else:
            raise self._cannot(f"assigns to {ast.unparse(target)!r}")

    def _assign_slice(self, array: Expression, part: ast.Slice, value: Computed) -> None:
        start, length = self._slice(array, part)
        if not isinstance(value, LazyArray) and value.type == ARRAY:
            value = _vector(value)
        counter = self._counter()
        if isinstance(value, LazyArray):
            made = self._made(value)  # read in full before it is written: it may be the same array
            item: Expression = Item(made, counter)
        else:
            item = self._settled(self._as(value, FLOAT))
        place = _plus(start, counter)
        self._out.append(For(counter.id, Constant(0, INT), length, 1, (Put(array, place, item),)))

    # --- Values

    def _settled(self, value: Expression) -> Expression:
        """A value that is read once: a number, a name, or a new name for it."""
        if isinstance(value, Constant | Variable):
            return value
        fresh = self._temporary(value.type)
        self._out.append(Assign(fresh.id, value))
        return fresh

    def _made(self, value: LazyArray) -> Variable:
        fresh, counter = self._temporary(ARRAY), self._counter()
        length = self._settled(value.length)
        self._out.append(New(fresh.id, length))
        put = Put(fresh, counter, self._as(value.item(counter), FLOAT))
        self._out.append(For(counter.id, Constant(0, INT), length, 1, (put,)))
        return fresh

    def _scalar(self, node: ast.expr) -> Expression:
        """A value that is there: arrays that are not, are made."""
        value = self._value(node)
        return self._made(value) if isinstance(value, LazyArray) else value

    def _truth(self, node: ast.expr) -> Expression:
        value = self._scalar(node)
        if value.type != BOOL:
            raise self._cannot(f"takes {ast.unparse(node)!r} for true or false; say what it is compared with")
        return value

    def _value(self, node: ast.expr) -> Computed:
        match node:
            case ast.Constant(value=value):
                return self._constant(value, node)
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._negative(self._value(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = self._truth(operand)
                return Constant(not truth.value, BOOL) if isinstance(truth, Constant) else Not(truth)
            case ast.BoolOp(op=op, values=values):
                return self._logic("and" if isinstance(op, ast.And) else "or", [self._truth(one) for one in values])
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._choice(test, body, orelse)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Tuple(elts=parts):
                return self._tuple([self._scalar(one) for one in parts])
        raise self._cannot(f"has an expression that has no translation: {ast.unparse(node)!r}")

    def _constant(self, value: Any, node: ast.expr) -> Constant:
        found = number_of(value)
        if found is None:
            raise self._cannot(f"uses {ast.unparse(node)!r}, which is no number")
        return found

    def _name(self, name: str) -> Expression:
        if name in self._bound_counter:
            return Variable(name, INT)
        if name in self._types:
            return Variable(name, self._types[name])
        if name in self._assigned:
            raise self._cannot(f"may use {name} before it is assigned")
        return self._constant_of(self._meaning(name), name)

    def _constant_of(self, value: Any, name: str) -> Expression:
        number = number_of(value)
        if number is not None:
            return number
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._build(type(value), [self._constant_of(part, name) for part in value])
        raise self._cannot(f"uses {name}, a {type(value).__name__}; only numbers travel outside of options and state")

    def _meaning(self, name: str) -> Any:
        return meaning_of(self._function, name)

    def _attribute(self, node: ast.Attribute) -> Expression:
        outside = self._outside(node)
        if outside is not None:
            return self._constant_of(outside[0], ast.unparse(node))
        of = self._scalar(node.value)
        if isinstance(of.type, RecordType):
            for name, kind in of.type.fields:
                if name == node.attr:
                    return FieldOf(self._settled(of), name, kind)
        raise self._cannot(f"reads {ast.unparse(node)!r}, which no record has")

    def _outside(self, node: ast.expr) -> tuple[Any] | None:
        """What a name outside of the function stands for, such as math.pi; None for what is inside."""
        if isinstance(node, ast.Name):
            inside = node.id in self._types or node.id in self._assigned or node.id in self._bound_counter
            return None if inside else (self._meaning(node.id),)
        if isinstance(node, ast.Attribute):
            of = self._outside(node.value)
            if of is not None and type(of[0]).__name__ == "module" and hasattr(of[0], node.attr):
                return (getattr(of[0], node.attr),)
        return None

    def _tuple(self, parts: list[Expression]) -> Build:
        return self._build(tuple, parts)

    def _build(self, kind: Any, parts: list[Expression]) -> Build:
        return Build(tuple(parts), self._translator.record(kind, [part.type for part in parts]))

    def _negative(self, value: Computed) -> Computed:
        if isinstance(value, LazyArray) or value.type == ARRAY:
            vector = value if isinstance(value, LazyArray) else _vector(value)
            return LazyArray(vector.length, lambda i: Negative(vector.item(i), FLOAT))
        if isinstance(value, Constant):
            return Constant(-value.value, INT if value.type == BOOL else value.type)
        return Negative(self._as(value, INT if value.type == BOOL else value.type), value.type)

    def _logic(self, op: str, parts: list[Expression]) -> Expression:
        found: Expression | None = None
        for part in parts:
            if isinstance(part, Constant):
                if part.value == (op == "or"):
                    return part if found is None else Logic(op, found, part)
                continue
            found = part if found is None else Logic(op, found, part)
        return Constant(op == "and", BOOL) if found is None else found

    def _comparison(self, node: ast.Compare) -> Expression:
        left = self._scalar(node.left)
        found: list[Expression] = []
        for number, (op, other) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if isinstance(op, ast.In | ast.NotIn):
                if not isinstance(other, ast.Tuple | ast.List) or len(node.ops) > 1:
                    raise self._cannot(f"asks whether something is in {ast.unparse(other)!r}")
                left = self._settled(left)
                any_of = self._logic("or", [self._compared("==", left, self._scalar(one)) for one in other.elts])
                return any_of if isinstance(op, ast.In) else Not(any_of)
            if type(op) not in _COMPARED:
                raise self._cannot(f"compares in a way that has no translation: {ast.unparse(node)!r}")
            right = self._scalar(other)
            if number + 1 < len(node.ops):
                right = self._settled(right)
            found.append(self._compared(_COMPARED[type(op)], left, right))
            left = right
        return self._logic("and", found)

    def _compared(self, op: str, left: Expression, right: Expression) -> Expression:
        kind = self._joined(left.type, right.type)
        if kind not in (FLOAT, INT, BOOL):
            raise self._cannot(f"compares {_said(kind)}")
        if kind == BOOL:
            kind = INT if op not in ("==", "!=") else BOOL
        return Relation(op, self._as(left, kind), self._as(right, kind))

    def _choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> Computed:
        truth = self._truth(test)
        if isinstance(truth, Constant):
            return self._value(body if truth.value else orelse)
        yes, no = self._scalar(body), self._scalar(orelse)
        kind = self._joined(yes.type, no.type)
        return Selection(truth, self._as(yes, kind), self._as(no, kind), kind)

    def _binary(self, node: ast.BinOp) -> Computed:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, LazyArray) or isinstance(right, LazyArray) or ARRAY in (left.type, right.type):
            return self._elementwise(node, left, right)
        return self._arithmetic(node, left, right)

    def _elementwise(self, node: ast.BinOp, left: Computed, right: Computed) -> LazyArray:
        sides = [self._side(one) for one in (left, right)]
        length = next(one.length for one in sides if isinstance(one, LazyArray))
        one, other = sides

        def item(i: Expression) -> Expression:
            a = one.item(i) if isinstance(one, LazyArray) else one
            b = other.item(i) if isinstance(other, LazyArray) else other
            return self._arithmetic(node, a, b)

        return LazyArray(length, item)

    def _side(self, value: Computed) -> Computed:
        if isinstance(value, LazyArray):
            return value
        return _vector(self._settled(value)) if value.type == ARRAY else self._settled(self._as(value, FLOAT))

    def _arithmetic(self, node: ast.BinOp, left: Expression, right: Expression) -> Expression:
        op = type(node.op)
        kind = self._joined(self._joined(left.type, right.type), INT)
        if kind not in (FLOAT, INT):
            raise self._cannot(f"calculates with {_said(kind)}: {ast.unparse(node)!r}")
        if op is ast.Pow:
            return self._power(node, left, right)
        if op is ast.BitAnd:
            # x & (2^k - 1) is the remainder by 2^k, of negative numbers too.
            if kind != INT or not isinstance(right, Constant) or (int(right.value) & (int(right.value) + 1)) != 0:
                raise self._cannot(f"uses & with something else than 2^k - 1: {ast.unparse(node)!r}")
            return self._primitive("floor_mod_int", left, Constant(int(right.value) + 1, INT))
        if op is ast.Div:
            kind = FLOAT
        left, right = self._as(left, kind), self._as(right, kind)
        if isinstance(left, Constant) and isinstance(right, Constant) and op in _ARITHMETIC and right.value != 0:
            a, b = left.value, right.value  # constants of the rule: the same numbers as in Python
            value = a + b if op is ast.Add else a - b if op is ast.Sub else a * b if op is ast.Mult else a / b
            return Constant(value, kind)
        if op in _ARITHMETIC:
            return Binary(_ARITHMETIC[op], left, right, kind)
        if op is ast.FloorDiv or op is ast.Mod:
            name = "floor_div" if op is ast.FloorDiv else "floor_mod"
            return self._primitive(name if kind == FLOAT else f"{name}_int", left, right)
        raise self._cannot(f"calculates in a way that has no translation: {ast.unparse(node)!r}")

    def _power(self, node: ast.BinOp, left: Expression, right: Expression) -> Expression:
        if isinstance(left, Constant) and isinstance(right, Constant):
            value = left.value**right.value
            return Constant(value, FLOAT if isinstance(value, float) else INT)
        if isinstance(right, Constant) and right.value == 2:  # the only power that is a single product
            base = self._settled(left)
            return Binary("*", base, base, base.type)
        raise self._cannot(f"raises to a power other than 2: {ast.unparse(node)!r}; use engine.arithmetic")

    def _subscript(self, node: ast.Subscript) -> Computed:
        of = self._scalar(node.value)
        if isinstance(of.type, RecordType):
            place = self._scalar(node.slice)
            if isinstance(place, Constant) and -len(of.type.fields) <= int(place.value) < len(of.type.fields):
                name, kind = of.type.fields[int(place.value)]
                return FieldOf(self._settled(of), name, kind)
            raise self._cannot(f"takes a place of a tuple that is no constant: {ast.unparse(node)!r}")
        if of.type != ARRAY:
            raise self._cannot(f"takes a place of something that is no array: {ast.unparse(node)!r}")
        array = self._settled(of) if not isinstance(of, FieldOf) else of
        if isinstance(node.slice, ast.Slice):
            start, length = self._slice(array, node.slice)
            return LazyArray(length, lambda i: Item(array, _plus(start, i)))
        return Item(array, self._index(array, node.slice))

    def _index(self, array: Expression, node: ast.expr) -> Expression:
        index = self._scalar(node)
        if isinstance(index, Constant) and index.value < 0:
            return Binary("+", Length(array), Constant(int(index.value), INT), INT)
        if index.type not in (INT, BOOL):
            raise self._cannot(f"takes a place that is no whole number: {ast.unparse(node)!r}")
        return self._as(index, INT)

    def _slice(self, array: Expression, node: ast.Slice) -> tuple[Expression, Expression]:
        if node.step is not None:
            raise self._cannot(f"takes every so many-th number of an array: {ast.unparse(node)!r}")
        start: Expression = Constant(0, INT) if node.lower is None else self._settled(self._index(array, node.lower))
        stop = Length(array) if node.upper is None else self._settled(self._index(array, node.upper))
        if isinstance(start, Constant) and start.value == 0:
            return start, self._settled(stop)
        return start, self._settled(Binary("-", stop, start, INT))

    # --- Calls

    def _call(self, node: ast.Call) -> Computed:
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            raise self._cannot(f"calls with a list of arguments: {ast.unparse(node)!r}")
        if isinstance(node.func, ast.Attribute) and self._outside(node.func) is None:
            return self._method(node, node.func)
        outside = self._outside(node.func)
        if outside is None:
            raise self._cannot(f"calls what it has made itself: {ast.unparse(node)!r}")
        called = outside[0]
        if isinstance(called, type) and issubclass(called, tuple) and hasattr(called, "_fields"):
            return self._construct(called, node)
        if node.keywords and getattr(called, "__module__", "") in ("numpy", "math", "builtins"):
            raise self._cannot(f"calls with named arguments that have no translation: {ast.unparse(node)!r}")
        known = _KNOWN.get(called) if _hashable(called) else None
        if known is not None:
            # What is joined is read there: a tuple of arrays is no value of its own.
            values = [] if called is np.concatenate else [self._value(one) for one in node.args]
            return known(self, values, node)
        called = plain_function(called)
        if not hasattr(called, "__code__"):
            raise self._cannot(f"calls {ast.unparse(node.func)!r}, which has no translation")
        return self._own(called, node)

    def _own(self, called: Any, node: ast.Call) -> Expression:
        code = called.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        given: dict[str, Expression] = {}
        for name, one in zip(names, node.args, strict=False):
            given[name] = self._argument(one)
        if len(node.args) > len(names):
            raise self._cannot(f"calls with too many arguments: {ast.unparse(node)!r}")
        for word in node.keywords:
            given[str(word.arg)] = self._argument(word.value)
        defaults = called.__defaults__ or ()
        ordinary = names[: code.co_argcount]
        late = dict(zip(ordinary[len(ordinary) - len(defaults) :], defaults, strict=True))
        late |= called.__kwdefaults__ or {}
        arguments = [given[name] if name in given else self._constant_of(late[name], name) for name in names]
        name, result = self._translator.function(called, [one.type for one in arguments])
        return Call(name, tuple(arguments), result)

    def _argument(self, node: ast.expr) -> Expression:
        return self._scalar(node)

    def _construct(self, kind: Any, node: ast.Call) -> Build:
        names = kind._fields
        given = dict(zip(names, [self._scalar(one) for one in node.args], strict=False))
        given |= {str(word.arg): self._scalar(word.value) for word in node.keywords}
        parts = []
        for name in names:
            if name not in given:
                if name not in kind._field_defaults:
                    raise self._cannot(f"leaves {name} out of {kind.__name__}")
                given[name] = self._constant_of(kind._field_defaults[name], name)
            parts.append(given[name])
        return self._record_like(kind, parts)

    def _record_like(self, kind: Any, parts: list[Expression]) -> Build:
        """A record whose whole numbers become doubles where the rule's own record has doubles."""
        known = self._translator.own_records.get(kind)
        if known is not None:
            parts = [self._as(part, of) for part, (_, of) in zip(parts, known.fields, strict=True)]
        return self._build(kind, parts)

    def _method(self, node: ast.Call, func: ast.Attribute) -> Computed:
        value = self._value(func.value)
        if not isinstance(value, LazyArray) and isinstance(value.type, RecordType) and func.attr == "_replace":
            record = self._settled(value)
            assert isinstance(record.type, RecordType)
            others = {str(word.arg): self._scalar(word.value) for word in node.keywords}
            parts = [
                self._as(others[name], kind) if name in others else FieldOf(record, name, kind)
                for name, kind in record.type.fields
            ]
            return Build(tuple(parts), record.type)
        if isinstance(value, LazyArray) or value.type == ARRAY:
            vector = value if isinstance(value, LazyArray) else _vector(self._settled(value))
            if func.attr == "copy" and not node.args:
                return vector
            if func.attr in ("max", "min") and not node.args:
                return self._extreme(vector, ">" if func.attr == "max" else "<")
        raise self._cannot(f"calls {ast.unparse(func)!r}, which has no translation")

    def _extreme(self, vector: LazyArray, op: str) -> Variable:
        found, counter = self._temporary(FLOAT), self._counter()
        length = self._settled(vector.length)
        self._out.append(Assign(found.id, vector.item(Constant(0, INT))))
        item = vector.item(counter)
        better = If(Relation(op, item, found), (Assign(found.id, item),), ())
        self._out.append(For(counter.id, Constant(1, INT), length, 1, (better,)))
        return found

    def _primitive(self, name: str, *arguments: Expression) -> Call:
        self._translator.program.primitives.add(name)
        return Call(name, arguments, PRIMITIVES[name], primitive=True)

    # --- What Python, math and numpy bring

    def _numbers(self, values: Sequence[Computed], node: ast.Call) -> list[Expression]:
        found: list[Expression] = []
        for value in values:
            if isinstance(value, LazyArray) or value.type not in (FLOAT, INT, BOOL):
                raise self._cannot(f"calls {ast.unparse(node)!r}, which has no translation for arrays")
            found.append(value)
        return found

    def _least(self, values: Sequence[Computed], node: ast.Call, name: str) -> Expression:
        numbers = self._numbers(values, node)
        if len(numbers) < 2:
            raise self._cannot(f"calls {ast.unparse(node)!r}, which needs two numbers or more")
        kind = INT
        for number in numbers:
            kind = self._joined(kind, number.type)  # type: ignore[assignment]
        found = self._as(numbers[0], kind)
        for number in numbers[1:]:
            found = self._primitive(name if kind == FLOAT else f"{name}_int", found, self._as(number, kind))
        return found

    def _whole(self, values: Sequence[Computed], node: ast.Call, name: str) -> Expression:
        (number,) = self._numbers(values, node)
        return self._as(number, INT) if number.type != FLOAT else self._primitive(name, number)

    def _double(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        (number,) = self._numbers(values, node)
        return self._as(number, FLOAT)

    def _truth_of(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        (number,) = self._numbers(values, node)
        if number.type != BOOL:
            return self._compared("!=", number, Constant(0, INT))
        return number

    def _absolute(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        (number,) = self._numbers(values, node)
        return self._primitive("abs" if number.type == FLOAT else "abs_int", number)

    def _of_double(self, values: Sequence[Computed], node: ast.Call, name: str) -> Expression:
        (number,) = self._numbers(values, node)
        return self._primitive(name, self._as(number, FLOAT))

    def _scaled(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        number, power = self._numbers(values, node)
        return self._primitive("scale", self._as(number, FLOAT), self._as(power, INT))

    def _halves(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        (number,) = self._numbers(values, node)
        number = self._settled(self._as(number, FLOAT))
        return self._tuple([self._primitive("mantissa", number), self._primitive("exponent", number)])

    def _length_of(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        (value,) = values
        if isinstance(value, LazyArray):
            return value.length
        if value.type != ARRAY:
            raise self._cannot(f"takes the length of something that is no array: {ast.unparse(node)!r}")
        return Length(value)

    def _filled(self, values: Sequence[Computed], node: ast.Call, number: float | None) -> LazyArray:
        length = self._as(self._numbers(values[:1], node)[0], INT)
        if number is None:
            fill: Expression = self._settled(self._as(self._numbers(values[1:2], node)[0], FLOAT))
        else:
            fill = Constant(number, FLOAT)
        return LazyArray(self._settled(length), lambda i: fill)

    def _fresh(self, values: Sequence[Computed], node: ast.Call) -> Variable:
        length = self._as(self._numbers(values, node)[0], INT)
        fresh = self._temporary(ARRAY)
        self._out.append(New(fresh.id, length))
        return fresh

    def _of_each(self, values: Sequence[Computed], node: ast.Call, name: str) -> Computed:
        sides = [self._side(value) for value in values]
        lengths = [one.length for one in sides if isinstance(one, LazyArray)]

        def item(i: Expression) -> Expression:
            return self._primitive(name, *(one.item(i) if isinstance(one, LazyArray) else one for one in sides))

        return LazyArray(lengths[0], item) if lengths else item(Constant(0, INT))

    def _running_sums(self, values: Sequence[Computed], node: ast.Call) -> Variable:
        (value,) = values
        vector = value if isinstance(value, LazyArray) else _vector(self._settled(value))
        made, counter = self._made(vector), self._counter()
        before = Item(made, Binary("-", counter, Constant(1, INT), INT))
        added = Put(made, counter, Binary("+", before, Item(made, counter), FLOAT))
        self._out.append(For(counter.id, Constant(1, INT), self._settled(Length(made)), 1, (added,)))
        return made

    def _joined_arrays(self, values: Sequence[Computed], node: ast.Call) -> Variable:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Tuple | ast.List):
            raise self._cannot(f"joins arrays that are not listed: {ast.unparse(node)!r}")
        parts = [self._scalar(one) for one in node.args[0].elts]
        if any(part.type != ARRAY for part in parts):
            raise self._cannot(f"joins something that is no array: {ast.unparse(node)!r}")
        names = [self._settled(part) for part in parts]
        length: Expression = Length(names[0])
        for name in names[1:]:
            length = Binary("+", length, Length(name), INT)
        fresh = self._temporary(ARRAY)
        self._out.append(New(fresh.id, length))
        first: Expression = Constant(0, INT)
        for name in names:
            counter = self._counter()
            put = Put(fresh, _plus(first, counter), Item(name, counter))
            self._out.append(For(counter.id, Constant(0, INT), self._settled(Length(name)), 1, (put,)))
            first = self._settled(_plus(first, Length(name)))
        return fresh

    def _random_words(self, values: Sequence[Computed], node: ast.Call) -> Call:
        numbers = [self._as(one, INT) for one in self._numbers(values, node)]
        self._translator.program.primitives.add(PHILOX)
        words = self._translator.record(tuple, [INT] * 4)
        return Call(PHILOX, tuple(numbers), words, primitive=True)

    def _not_a_number(self, values: Sequence[Computed], node: ast.Call) -> Expression:
        return self._of_double(values, node, "is_nan")


def number_of(value: Any) -> Constant | None:
    """A constant of Python or numpy as a number; None where it is none."""
    if isinstance(value, bool | np.bool_):
        return Constant(bool(value), BOOL)
    if isinstance(value, int | np.integer):
        return Constant(int(value), INT)
    if isinstance(value, float | np.floating):
        return Constant(float(value), FLOAT) if not math.isnan(value) else None
    return None


def _assignments(body: Sequence[Instruction]) -> Iterator[Assign]:
    for one in body:
        if isinstance(one, Assign):
            yield one
        elif isinstance(one, If):
            yield from _assignments((*one.yes, *one.no))
        elif isinstance(one, While | For):
            yield from _assignments(one.body)


def _without(body: Sequence[Instruction], names: set[str]) -> Iterator[Instruction]:
    """Statements without those that only give a value to names that nothing reads."""
    for one in body:
        if isinstance(one, Assign) and one.name in names:
            continue
        if isinstance(one, If):
            yield If(one.test, tuple(_without(one.yes, names)), tuple(_without(one.no, names)))
        elif isinstance(one, While):
            yield While(one.test, tuple(_without(one.body, names)))
        elif isinstance(one, For):
            yield one._replace(body=tuple(_without(one.body, names)))
        else:
            yield one


def _vector(array: Expression) -> LazyArray:
    return LazyArray(Length(array), lambda i: Item(array, i))


def _plus(one: Expression, other: Expression) -> Expression:
    if isinstance(one, Constant) and one.value == 0:
        return other
    return Binary("+", one, other, INT)


def _ends_with_continue(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Continue)


def _hashable(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None


def _said(kind: ValueType) -> str:
    if isinstance(kind, RecordType):
        return f"a {kind.name}"
    return {FLOAT: "a number", INT: "a whole number", BOOL: "a truth value", ARRAY: "an array", VOID: "nothing"}[kind]


_B = FunctionBody
_KNOWN: Final[dict[Any, Callable[[FunctionBody, list[Computed], ast.Call], Computed]]] = {
    min: lambda body, values, node: body._least(values, node, "min"),
    max: lambda body, values, node: body._least(values, node, "max"),
    abs: _B._absolute,
    float: _B._double,
    int: lambda body, values, node: body._whole(values, node, "trunc"),
    bool: _B._truth_of,
    len: _B._length_of,
    math.floor: lambda body, values, node: body._whole(values, node, "floor"),
    math.sqrt: lambda body, values, node: body._of_double(values, node, "sqrt"),
    math.fabs: lambda body, values, node: body._of_double(values, node, "abs"),
    math.isnan: _B._not_a_number,
    math.ldexp: _B._scaled,
    math.frexp: _B._halves,
    np.sqrt: lambda body, values, node: body._of_each(values, node, "sqrt"),
    np.abs: lambda body, values, node: body._of_each(values, node, "abs"),
    np.maximum: lambda body, values, node: body._of_each(values, node, "max"),
    np.minimum: lambda body, values, node: body._of_each(values, node, "min"),
    np.zeros: _B._fresh,
    np.empty: _B._fresh,
    np.ones: lambda body, values, node: body._filled(values, node, 1.0),
    np.full: lambda body, values, node: body._filled(values, node, None),
    np.cumsum: _B._running_sums,
    np.concatenate: _B._joined_arrays,
    randomness.philox: _B._random_words,
}

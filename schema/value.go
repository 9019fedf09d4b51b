package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// maxResult bounds what evaluation may produce.
const maxResult = 1 << 20

var errTooLarge = errors.New("the result has more than 1 MiB")

// parseJSON takes a valid JSON value apart, as far as it is asked for.
func parseJSON(b []byte) gjson.Result {
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte(string(utf8.RuneError)))
	}
	return gjson.ParseBytes(b)
}

// fromJSON makes a value of type t. Null stays null, except that a list becomes empty; members that t lacks are dropped.
func fromJSON(v gjson.Result, t plan.Type) (cty.Value, error) {
	switch kind := plugin.Kind(t.Kind); {
	case v.Type == gjson.Null && kind == plugin.KindList:
		return cty.ListValEmpty(ctyType(*t.Elem)), nil
	case v.Type == gjson.Null:
		return cty.NullVal(ctyType(t)), nil
	case kind == plugin.KindList:
		return listFromJSON(v, t)
	case kind == plugin.KindStruct:
		return structFromJSON(v, t.Fields)
	case kind == plugin.KindAny:
		return anyFromJSON(v)
	default:
		return scalarFromJSON(v, kind)
	}
}

// anyFromJSON makes a value of the type that the JSON has.
func anyFromJSON(v gjson.Result) (cty.Value, error) {
	switch {
	case v.Type == gjson.String:
		return cty.StringVal(v.Str), nil
	case v.IsBool():
		return cty.BoolVal(v.Bool()), nil
	case v.Type == gjson.Number:
		return number(v.Raw)
	case v.IsArray():
		list := v.Array()
		elems := make([]cty.Value, len(list))
		for i, e := range list {
			var err error
			if elems[i], err = anyFromJSON(e); err != nil {
				return cty.NilVal, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return cty.TupleVal(elems), nil
	case v.IsObject():
		attrs := map[string]cty.Value{}
		for name, e := range members(v) {
			attr, err := anyFromJSON(e)
			if err != nil {
				return cty.NilVal, fmt.Errorf("member %s: %w", name, err)
			}
			attrs[name] = attr
		}
		return cty.ObjectVal(attrs), nil
	default:
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
}

// members yields the members of an object, and nothing of anything else. Of those with the same name the last one counts.
func members(v gjson.Result) iter.Seq2[string, gjson.Result] {
	return func(yield func(string, gjson.Result) bool) {
		if v.IsObject() {
			v.ForEach(func(name, v gjson.Result) bool { return yield(name.Str, v) })
		}
	}
}

func scalarFromJSON(v gjson.Result, kind plugin.Kind) (cty.Value, error) {
	switch {
	case v.Type == gjson.String && (kind == plugin.KindString || kind == plugin.KindTime):
		return cty.StringVal(v.Str), nil
	case v.Type == gjson.String && kind == plugin.KindInt:
		return integer(v.Str)
	case v.Type == gjson.Number && kind == plugin.KindInt:
		return integer(v.Raw)
	case v.Type == gjson.Number && kind == plugin.KindNumber:
		return number(v.Raw)
	case v.IsBool() && kind == plugin.KindBool:
		return cty.BoolVal(v.Bool()), nil
	}
	return cty.NilVal, fmt.Errorf("not %s", article(string(kind)))
}

func integer(s string) (cty.Value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return cty.NumberIntVal(n), nil
	}
	if len(s) > 128 {
		return cty.NilVal, errors.New("an integer of more than 128 digits")
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return cty.NilVal, errors.New("not an int")
	}
	return cty.NumberVal(new(big.Float).SetPrec(512).SetInt(n)), nil
}

// maxExponent bounds numbers, whose texts and integers grow with their exponent.
const maxExponent = 4096

func number(s string) (cty.Value, error) {
	v, err := cty.ParseNumberVal(s)
	if err != nil {
		return cty.NilVal, errors.New("not a number")
	}
	return v, checkMagnitude(v)
}

func checkMagnitude(v cty.Value) error {
	f := v.AsBigFloat()
	if e := f.MantExp(nil); f.IsInf() || e > maxExponent || e < -maxExponent {
		return errors.New("a number beyond all measure")
	}
	return nil
}

func listFromJSON(v gjson.Result, t plan.Type) (cty.Value, error) {
	if !v.IsArray() {
		return cty.NilVal, errors.New("not a list")
	}
	list := v.Array()
	if len(list) == 0 {
		return cty.ListValEmpty(ctyType(*t.Elem)), nil
	}
	out := make([]cty.Value, len(list))
	for i, e := range list {
		var err error
		if out[i], err = fromJSON(e, *t.Elem); err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return cty.ListVal(out), nil
}

func structFromJSON(v gjson.Result, fields []plan.Field) (cty.Value, error) {
	if !v.IsObject() {
		return cty.NilVal, errors.New("not an object")
	}
	given := valuesOf(v, fields)
	out := make(map[string]cty.Value, len(fields))
	for i, f := range fields {
		var err error
		if out[f.Name], err = fromJSON(given[i], f.Type); err != nil {
			return cty.NilVal, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return cty.ObjectVal(out), nil
}

// valuesOf returns the members of an object that fields describe, null for those that are not there.
func valuesOf(object gjson.Result, fields []plan.Field) []gjson.Result {
	given := make([]gjson.Result, len(fields))
	for name, v := range members(object) {
		if i := slices.IndexFunc(fields, func(f plan.Field) bool { return f.Name == name }); i >= 0 {
			given[i] = v
		}
	}
	return given
}

// appendJSON appends v as JSON of type t. Null members and elements are left out; v itself must not be null. Strings longer
// than maxLength UTF-16 code units are cut, if it is not zero.
func appendJSON(b []byte, v cty.Value, t plan.Type, maxLength int) ([]byte, error) {
	v, err := convert.Convert(v, ctyType(t))
	if err != nil {
		return nil, err
	}
	switch kind := plugin.Kind(t.Kind); kind {
	case plugin.KindString:
		return appendString(b, cut(v.AsString(), maxLength))
	case plugin.KindTime:
		if _, err := time.Parse(time.RFC3339, v.AsString()); err != nil {
			return nil, errors.New("a time in RFC 3339 is needed, such as 2006-01-02T15:04:05Z")
		}
		return appendString(b, v.AsString())
	case plugin.KindInt:
		if err := checkMagnitude(v); err != nil {
			return nil, err
		}
		n, accuracy := v.AsBigFloat().Int(nil)
		if accuracy != big.Exact {
			return nil, errors.New("a whole number is needed")
		}
		return n.Append(b, 10), nil
	case plugin.KindNumber:
		return appendNumber(b, v)
	case plugin.KindBool:
		return strconv.AppendBool(b, v.True()), nil
	case plugin.KindList:
		return appendList(b, v, t, maxLength)
	case plugin.KindStruct:
		return appendStruct(b, v, t, maxLength)
	case kindMap:
		return appendMap(b, v, *t.Elem)
	case plugin.KindAny:
		return appendAny(b, v)
	default:
		return nil, fmt.Errorf("unknown kind of type %q", kind)
	}
}

func appendList(b []byte, v cty.Value, t plan.Type, maxLength int) ([]byte, error) {
	b = append(b, '[')
	first := true
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var err error
		if b, err = appendJSON(b, e, *t.Elem, maxLength); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendStruct(b []byte, v cty.Value, t plan.Type, maxLength int) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, f := range t.Fields {
		e := v.GetAttr(f.Name)
		if e.IsNull() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(strconv.AppendQuote(b, f.Name), ':')
		var err error
		if b, err = appendJSON(b, e, f.Type, maxLength); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendMap writes the elements of a map in the order of their keys.
func appendMap(b []byte, v cty.Value, elem plan.Type) ([]byte, error) {
	b = append(b, '{')
	first := true
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		if e.IsNull() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var err error
		if b, err = appendString(b, key.AsString()); err != nil {
			return nil, err
		}
		if b, err = appendJSON(append(b, ':'), e, elem, 0); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendNumber writes a number as people do: whole ones in digits, however many, and others with an exponent only if they are very small
// or very large. What is stored as text must not become 1.23456785e+07.
func appendNumber(b []byte, v cty.Value) ([]byte, error) {
	if err := checkMagnitude(v); err != nil {
		return nil, err
	}
	f := v.AsBigFloat()
	if n, accuracy := f.Int(nil); accuracy == big.Exact {
		return n.Append(b, 10), nil
	}
	const least, most = -20, 70 // as powers of two: a millionth, and more than any amount of money
	if e := f.MantExp(nil); e < least || e > most {
		return f.Append(b, 'g', -1), nil
	}
	// Almost all numbers are read from a few digits, which a float64 finds fifty times faster: they are those if they give the number again.
	x, _ := f.Float64()
	digits := strconv.FormatFloat(x, 'f', -1, 64)
	if again, _, err := big.ParseFloat(digits, 10, f.Prec(), big.ToNearestEven); err == nil && again.Cmp(f) == 0 {
		return append(b, digits...), nil
	}
	return f.Append(b, 'f', -1), nil
}

// appendAny writes a value as what it is. Nulls are kept: what leaves them out or not is whoever made the value.
func appendAny(b []byte, v cty.Value) ([]byte, error) {
	t := v.Type()
	switch {
	case len(b) > maxResult:
		return nil, errTooLarge
	case v.IsNull():
		return append(b, "null"...), nil
	case t == cty.String:
		return appendString(b, v.AsString())
	case t == cty.Bool:
		return strconv.AppendBool(b, v.True()), nil
	case t == cty.Number:
		return appendNumber(b, v)
	case t.IsObjectType() || t.IsMapType():
		return appendAnyMembers(b, v)
	}
	b = append(b, '[')
	for it, first := v.ElementIterator(), true; it.Next(); first = false {
		if !first {
			b = append(b, ',')
		}
		_, e := it.Element()
		var err error
		if b, err = appendAny(b, e); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendAnyMembers writes the members of an object or map in the order of their names.
func appendAnyMembers(b []byte, v cty.Value) ([]byte, error) {
	b = append(b, '{')
	for it, first := v.ElementIterator(), true; it.Next(); first = false {
		if !first {
			b = append(b, ',')
		}
		name, e := it.Element()
		var err error
		if b, err = appendString(b, name.AsString()); err != nil {
			return nil, err
		}
		if b, err = appendAny(append(b, ':'), e); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) ([]byte, error) {
	if len(s) > maxResult {
		return nil, errTooLarge
	}
	quoted, err := json.Marshal(s)
	return append(b, quoted...), err
}

// cut shortens s to at most n UTF-16 code units, with an ellipsis at the end that shows it. Zero means no limit.
func cut(s string, n int) string {
	if n <= 0 || len(s) <= n {
		return s
	}
	units, keep := 0, 0 // keep is the length of the longest prefix that leaves room for the ellipsis
	for i, r := range s {
		if units <= n-1 {
			keep = i
		}
		units += max(1, utf16.RuneLen(r))
		if units > n {
			return s[:keep] + "…"
		}
	}
	return s
}

// unitsOf counts the UTF-16 code units of s.
func unitsOf(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

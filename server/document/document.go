package document

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/realtime"
)

// Object is one JSON object that is being read.
type Object struct {
	path     string // "" or "since."
	fields   []field
	children []*Object
	wrong    *wrong // of the whole document

	root  wrong            // where wrong points in the outermost object
	first [fieldsFew]field // room for the fields of most documents
}

// fieldsFew is how many fields cost no memory of their own: no method has more that are usually given.
const fieldsFew = 4

// wrong is what was wrong first. A missing field gives way to an unknown one: whoever misspells a name wants to read the name.
type wrong struct {
	err     *realtime.Error // nil: nothing yet
	missing bool            // it is that a field is missing
}

// Parse reads text, which must be one object nested at most depthMax deep, without duplicate names and in valid UTF-8. The
// text must not change before End.
func Parse(text []byte, depthMax int) *Object {
	o := &Object{}
	o.wrong = &o.root
	if depth(text) > depthMax {
		o.failf("the document is nested more than %d deep", depthMax)
		return o
	}
	o.fill(text)
	return o
}

func (o *Object) fill(text []byte) {
	value := jsontext.Value(text)
	switch {
	case !value.IsValid():
		o.fail("the body is not one JSON document in UTF-8 without duplicate names")
	case value.Kind() != '{':
		o.fail("the body is not a JSON object")
	default:
		o.fields = appendFields(o.first[:0], text)
	}
}

// Err returns the first thing that was wrong so far.
func (o *Object) Err() error {
	if o.wrong.err == nil {
		return nil
	}
	return o.wrong.err
}

// End is Err once everything has been read: a field nobody asked for is unknown.
func (o *Object) End() error {
	o.refuseUnread()
	return o.Err()
}

func (o *Object) refuseUnread() {
	var unknown []string
	for i := range o.fields {
		if !o.fields[i].read {
			unknown = append(unknown, string(o.fields[i].name))
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		if o.wrong.missing {
			*o.wrong = wrong{}
		}
		o.failf("%s is not a field of this document", quoted(o.path+unknown[0]))
	}
	for _, child := range o.children {
		child.refuseUnread()
	}
}

// quoted shows a name of a peer in a message: as it is when it is plain, escaped and cut otherwise.
func quoted(name string) string {
	if len(name) > 64 {
		name = name[:64] + "…"
	}
	return strconv.QuoteToASCII(name)
}

func (o *Object) fail(message string) {
	if o.wrong.err == nil {
		o.wrong.err = realtime.NewError(realtime.CodeBadRequest, message)
	}
}

func (o *Object) failf(format string, args ...any) {
	if o.wrong.err == nil {
		o.wrong.err = realtime.Errorf(realtime.CodeBadRequest, format, args...)
	}
}

// Refuse is for checks of the caller's own: err becomes what was wrong, unless something was before.
func (o *Object) Refuse(err error) {
	if o.wrong.err == nil {
		o.wrong.err = realtime.AsError(err)
	}
}

// Has reports whether the field is there, also as null.
func (o *Object) Has(name string) bool {
	return o.find(name) != nil
}

// find returns nil when the field is not there.
func (o *Object) find(name string) *field {
	for i := range o.fields {
		if string(o.fields[i].name) == name {
			return &o.fields[i]
		}
	}
	return nil
}

// value returns a field of any kind, and false when it is not there. From now on the field is a known one.
func (o *Object) value(name string) (jsontext.Value, bool) {
	f := o.find(name)
	if f == nil {
		return nil, false
	}
	f.read = true
	return f.value, o.wrong.err == nil
}

// take returns the value of a field that must be of one of the kinds, and false when it is not there.
func (o *Object) take(name, kinds, want string) (jsontext.Value, bool) {
	value, found := o.value(name)
	if !found {
		return nil, false
	}
	switch kind := value.Kind(); {
	case strings.IndexByte(kinds, byte(kind)) >= 0:
		return value, true
	case kind == 'n':
		o.failf("%s is null", o.path+name)
	default:
		o.failf("%s is not %s", o.path+name, want)
	}
	return nil, false
}

// Require refuses a document without the field.
func (o *Object) Require(name string) {
	if !o.Has(name) && o.wrong.err == nil {
		o.failf("%s is missing", o.path+name)
		o.wrong.missing = true
	}
}

// RequireOne refuses a document that has neither of two fields, or both.
func (o *Object) RequireOne(name, other string) {
	if o.Has(name) != o.Has(other) || o.wrong.err != nil {
		return
	}
	o.failf("give either %s or %s", o.path+name, o.path+other)
	o.wrong.missing = !o.Has(name)
}

// Text returns a text that must be there.
func (o *Object) Text(name string) string {
	o.Require(name)
	text, _ := o.OptionalText(name)
	return text
}

// OptionalText returns a text, and whether it was there.
func (o *Object) OptionalText(name string) (string, bool) {
	value, found := o.take(name, `"`, "a text")
	if !found {
		return "", false
	}
	return unquote(value), true
}

// ShortText returns a text of 1 to bytesMax bytes, and "" when it is not there.
func (o *Object) ShortText(name string, bytesMax int) string {
	text, found := o.OptionalText(name)
	if found && (text == "" || len(text) > bytesMax) {
		o.failf("%s is empty or longer than %d bytes", o.path+name, bytesMax)
		return ""
	}
	return text
}

func unquote(value jsontext.Value) string {
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return "" // not reached: the document is valid
	}
	return string(text)
}

// Switch returns a boolean, false when it is not there.
func (o *Object) Switch(name string) bool {
	value, found := o.take(name, "tf", "true or false")
	return found && value.Kind() == 't'
}

// Integer returns a whole number from least to most, and whether it was there. 1.0 and 1e3 are not whole (MSG-5).
func (o *Object) Integer(name string, least, most uint64) (uint64, bool) {
	value, found := o.take(name, "0", "a number")
	if !found {
		return 0, false
	}
	n, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil || n < least || n > most {
		o.failf("%s is not a whole number from %d to %d", o.path+name, least, most)
		return 0, false
	}
	return n, true
}

// Number returns a finite number, and whether it was there.
func (o *Object) Number(name string) (float64, bool) {
	value, found := o.take(name, "0", "a number")
	if !found {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil || math.IsInf(n, 0) {
		o.failf("%s is too large", o.path+name)
		return 0, false
	}
	return n, true
}

// Texts returns a list of at most most texts, and whether it was there.
func (o *Object) Texts(name string, most int) ([]string, bool) {
	values, found := o.list(name, most)
	if !found {
		return nil, false
	}
	texts := make([]string, len(values))
	for i, value := range values {
		if value.Kind() != '"' {
			o.failf("%s[%d] is not a text", o.path+name, i)
			return nil, false
		}
		texts[i] = unquote(value)
	}
	return texts, true
}

// Objects returns a list of at most most objects.
func (o *Object) Objects(name string, most int) []*Object {
	values, _ := o.list(name, most)
	objects := make([]*Object, 0, len(values))
	for i, value := range values {
		if value.Kind() != '{' {
			o.failf("%s[%d] is not an object", o.path+name, i)
			return nil
		}
		objects = append(objects, o.child(name+"["+strconv.Itoa(i)+"].", value))
	}
	return objects
}

// Documents returns a list of at most most objects, each a document of its own: what is wrong in one, also that it is no
// object, is wrong in that one alone.
func (o *Object) Documents(name string, most int) []*Object {
	values, _ := o.list(name, most)
	objects := make([]*Object, len(values))
	for i, value := range values {
		objects[i] = &Object{}
		objects[i].wrong = &objects[i].root
		if value.Kind() != '{' {
			objects[i].failf("%s[%d] is not an object", o.path+name, i)
			continue
		}
		objects[i].fields = appendFields(objects[i].first[:0], value)
	}
	return objects
}

// Choice returns the name and the object of the only field, which must be one of names, and "" when it is not.
func (o *Object) Choice(names ...string) (string, *Object) {
	for i := range o.fields {
		if name := string(o.fields[i].name); !slices.Contains(names, name) {
			o.failf("%s is not a field of this document", quoted(o.path+name))
		}
	}
	if len(o.fields) != 1 {
		o.failf("give exactly one of %s", strings.Join(names, ", "))
	}
	if o.wrong.err != nil {
		return "", nil
	}
	name := string(o.fields[0].name)
	fields, found := o.Object(name)
	if !found {
		return "", nil
	}
	return name, fields
}

// list counts before it splits, so that many small elements cost no memory (VC-17).
func (o *Object) list(name string, most int) ([]jsontext.Value, bool) {
	value, found := o.take(name, "[", "a list")
	if !found {
		return nil, false
	}
	if elements(value) > most {
		o.failf("%s has more than %d elements", o.path+name, most)
		return nil, false
	}
	return appendElements(nil, value), true
}

// Object returns a nested object, and whether it was there.
func (o *Object) Object(name string) (*Object, bool) {
	value, found := o.take(name, "{", "an object")
	if !found {
		return &Object{wrong: o.wrong}, false
	}
	return o.child(name+".", value), true
}

func (o *Object) child(path string, value jsontext.Value) *Object {
	child := &Object{path: o.path + path, wrong: o.wrong}
	child.fields = appendFields(child.first[:0], value)
	o.children = append(o.children, child)
	return child
}

// Value returns a field of any kind as compact JSON, null included, and whether it was there.
func (o *Object) Value(name string) ([]byte, bool) {
	value, found := o.value(name)
	if !found {
		return nil, false
	}
	return appendCompact(make([]byte, 0, len(value)), value), true
}

// ObjectValue returns an object as compact JSON without looking into it, and whether it was there.
func (o *Object) ObjectValue(name string) ([]byte, bool) {
	if _, found := o.take(name, "{", "an object"); !found {
		return nil, false
	}
	return o.Value(name)
}

// Payload returns a payload from its JSON field or its base64 field, whose name ends in 64, and none when both are
// absent (MSG-8).
func (o *Object) Payload(name string) realtime.Payload {
	value, isJSON := o.Value(name)
	text, isBinary := o.OptionalText(name + "64")
	switch {
	case isJSON && isBinary:
		o.failf("%s and %s64 are both given", o.path+name, o.path+name)
	case isJSON:
		return realtime.JSON(value)
	case isBinary:
		content, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			o.failf("%s64 is not base64 with padding", o.path+name)
			return realtime.Payload{}
		}
		return realtime.Binary(content)
	}
	return realtime.Payload{}
}

package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Field is one thing that can be configured, as docs/OPERATING.md lists it.
type Field struct {
	Key     string // such as limits.message_bytes; a list is written tokens.keys[], a namespace namespaces.<name>
	Type    string
	Default string // empty where there is none
	Min     string // empty where there are no limits
	Max     string
	Help    string
	Secret  bool

	structured bool         // has fields of its own
	goType     reflect.Type // of the field itself
}

// Fields lists every key in the order of the structs.
func Fields() []Field {
	defaults := Default()
	return appendFields(nil, "", reflect.ValueOf(defaults))
}

func appendFields(fields []Field, prefix string, value reflect.Value) []Field {
	for i := range value.NumField() {
		tag := value.Type().Field(i)
		key := prefix + tag.Tag.Get("koanf")
		field := Field{
			Key: key, Type: typeWord(tag.Type), Default: describe(value.Field(i)),
			Min: tag.Tag.Get("min"), Max: tag.Tag.Get("max"), Help: tag.Tag.Get("help"),
			Secret: tag.Tag.Get("secret") != "", goType: tag.Type,
		}
		switch {
		case tag.Type.Kind() == reflect.Struct:
			fields = appendFields(fields, key+".", value.Field(i))
		case tag.Type == reflect.TypeFor[map[string]Namespace]():
			fields = appendFields(fields, key+".<name>.", reflect.ValueOf(DefaultNamespace()))
		case tag.Type == reflect.TypeFor[[]Key]():
			field.structured = true
			fields = append(fields, field)
			fields = appendFields(fields, key+"[].", reflect.ValueOf(Key{}))
		default:
			fields = append(fields, field)
		}
	}
	return fields
}

func typeWord(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Size]():
		return "size"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "switch"
	case reflect.Int:
		return "number"
	case reflect.Slice:
		return "list"
	}
	return "text"
}

// describe writes a value as an operator would; zero values of text and lists are nothing.
func describe(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return formatDuration(value)
	case Size:
		return value.String()
	case bool:
		return map[bool]string{true: "on", false: "off"}[value]
	case string:
		return value
	case int:
		return fmt.Sprint(value)
	case []string:
		return strings.Join(value, ", ")
	}
	return ""
}

// formatDuration is time.Duration's own form without the zero units at its end: 5m, not 5m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// environmentName is the variable that sets a key: limits.message_bytes is BELLWIRE_LIMITS_MESSAGE_BYTES.
func environmentName(key string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// environmentKeys maps variables to keys. Keys of namespaces and lists of structs have none: they belong in a file.
func environmentKeys() map[string]Field {
	keys := make(map[string]Field)
	for _, field := range Fields() {
		if field.structured || strings.ContainsAny(field.Key, "<[") {
			continue
		}
		keys[environmentName(field.Key)] = field
	}
	return keys
}

package document

import "github.com/go-json-experiment/json/jsontext"

// This file looks at text whose validity jsontext has checked (only depth is called before): to find its parts nothing has
// to be checked again, and nothing is copied.

// field is one field of an object. Both slices are parts of the text.
type field struct {
	name  []byte // unquoted
	value jsontext.Value
	read  bool // somebody has asked for it
}

// appendFields appends the fields of a valid object.
func appendFields(fields []field, object []byte) []field {
	i := skipSpace(object, skipSpace(object, 0)+1)
	for object[i] != '}' {
		end := skipValue(object, i)
		name := object[i:end]
		i = skipSpace(object, skipSpace(object, end)+1)
		end = skipValue(object, i)
		fields = append(fields, field{name: unquoteName(name), value: jsontext.Value(object[i:end])})
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return fields
}

// appendElements appends the elements of a valid array.
func appendElements(elements []jsontext.Value, array []byte) []jsontext.Value {
	i := skipSpace(array, skipSpace(array, 0)+1)
	for array[i] != ']' {
		end := skipValue(array, i)
		elements = append(elements, jsontext.Value(array[i:end]))
		if i = skipSpace(array, end); array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}
	return elements
}

func unquoteName(quoted []byte) []byte {
	for _, c := range quoted {
		if c == '\\' {
			return []byte(unquote(quoted))
		}
	}
	return quoted[1 : len(quoted)-1]
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns where the valid value ends that begins at i.
func skipValue(text []byte, i int) int {
	switch text[i] {
	case '"':
		return skipText(text, i)
	case '{', '[':
		return skipNested(text, i)
	}
	for i < len(text) {
		switch text[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return i
		}
		i++
	}
	return i
}

func skipText(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipNested(text []byte, i int) int {
	for open := 0; ; {
		switch text[i] {
		case '"':
			i = skipText(text, i)
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		if i++; open == 0 {
			return i
		}
	}
}

// appendCompact appends a valid value without the space between its parts. Texts and numbers stay as they are.
func appendCompact(to, value []byte) []byte {
	for i := 0; i < len(value); {
		from := i
		for i < len(value) && value[i] > ' ' {
			if value[i] == '"' {
				i = skipText(value, i)
			} else {
				i++
			}
		}
		to = append(to, value[from:i]...)
		i = skipSpace(value, i)
	}
	return to
}

// depth is how deep arrays and objects are nested. Text that is not JSON gives some number.
func depth(text []byte) int {
	var now, deepest int
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			now++
			deepest = max(deepest, now)
		case '}', ']':
			now--
		}
	}
	return deepest
}

// elements counts the elements of a valid array.
func elements(array jsontext.Value) int {
	count, nested := 1, 0
	empty := true
	for i := 0; i < len(array); i++ {
		switch array[i] {
		case '"':
			empty = false
			for i++; array[i] != '"'; i++ {
				if array[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			nested++
			empty = empty && nested == 1
		case ']', '}':
			nested--
		case ',':
			if nested == 1 {
				count++
			}
		case ' ', '\t', '\n', '\r':
		default:
			empty = false
		}
	}
	if empty {
		return 0
	}
	return count
}

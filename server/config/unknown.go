package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// checkKeys refuses what no field has, by its whole path, and names the nearest key there is: a limit whose name was
// misspelled must not silently keep its default (VC-46).
func checkKeys(prefix string, raw map[string]any, shape reflect.Type) error {
	fields := make(map[string]reflect.Type, shape.NumField())
	for i := range shape.NumField() {
		fields[shape.Field(i).Tag.Get("koanf")] = shape.Field(i).Type
	}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		field, known := fields[key]
		if !known {
			return unknownKey(prefix, key, slices.Sorted(maps.Keys(fields)))
		}
		if err := checkValueKeys(prefix+key, raw[key], field); err != nil {
			return err
		}
	}
	return nil
}

func checkValueKeys(path string, value any, shape reflect.Type) error {
	if value == nil {
		return fmt.Errorf("%s has no value; leave the key out for its default", path)
	}
	switch {
	case shape.Kind() == reflect.Struct:
		return checkMapping(path, value, shape)
	case shape.Kind() == reflect.Map:
		names, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("%s must hold names, each with settings", path)
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if err := checkMapping(path+"."+name, names[name], shape.Elem()); err != nil {
				return err
			}
		}
	case shape.Kind() == reflect.Slice && shape.Elem().Kind() == reflect.Struct:
		items, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s must be a list", path)
		}
		for i, item := range items {
			if err := checkMapping(fmt.Sprintf("%s[%d]", path, i), item, shape.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkMapping(path string, value any, shape reflect.Type) error {
	mapping, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s must hold settings, not %T", path, value)
	}
	return checkKeys(path+".", mapping, shape)
}

func unknownKey(prefix, key string, known []string) error {
	return fmt.Errorf("unknown key %q%s", prefix+key, suggestion(prefix, key, known))
}

func suggestion(prefix, key string, known []string) string {
	nearest, distance := "", len(key)/2+1
	for _, candidate := range known {
		if d := editDistance(key, candidate); d < distance {
			nearest, distance = candidate, d
		}
	}
	if nearest == "" {
		return "; known here: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", prefix+nearest)
}

// editDistance is the number of letters to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

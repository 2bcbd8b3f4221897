package config

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// checkLimits holds every number against the limits in its tags (RS-16).
func checkLimits(prefix string, value reflect.Value) error {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		key := prefix + field.Tag.Get("koanf")
		var err error
		switch {
		case field.Type.Kind() == reflect.Struct:
			err = checkLimits(key+".", value.Field(i))
		case field.Tag.Get("min") != "":
			err = checkLimit(key, value.Field(i), field.Tag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkLimit(key string, value reflect.Value, tag reflect.StructTag) error {
	n := value.Int()
	if n < limitOf(value.Type(), tag.Get("min")) || n > limitOf(value.Type(), tag.Get("max")) {
		return fmt.Errorf("%s is %s, and must be from %s to %s", key, describe(value), tag.Get("min"), tag.Get("max"))
	}
	return nil
}

// limitOf reads a limit of this package's own tags; a wrong one is found by the first test.
func limitOf(t reflect.Type, text string) int64 {
	var n int64
	var err error
	switch t {
	case reflect.TypeFor[time.Duration]():
		var d time.Duration
		d, err = time.ParseDuration(text)
		n = int64(d)
	case reflect.TypeFor[Size]():
		var s Size
		s, err = ParseSize(text)
		n = int64(s)
	default:
		n, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		panic("config: limit in a struct tag: " + err.Error())
	}
	return n
}

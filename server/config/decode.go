package config

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

func decodeDuration(from reflect.Type, text string, isText bool, value any) (any, error) {
	if from == reflect.TypeFor[time.Duration]() {
		return value, nil
	}
	if !isText {
		return nil, fmt.Errorf("%v is not a duration; write it like 500ms, 30s or 5m", value)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration; write it like 500ms, 30s or 5m", text)
	}
	return d, nil
}

func decodeSwitch(text string) (any, error) {
	switch text {
	case "true", "on", "yes", "1":
		return true, nil
	case "false", "off", "no", "0":
		return false, nil
	}
	return nil, fmt.Errorf("%q is not a switch; write true or false", text)
}

func decodeNumber(text string) (any, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

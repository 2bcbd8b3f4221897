package server

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each command has its own result, in the order given, worded as the method's own answer.
func TestABatchAnswersEachCommand(t *testing.T) {
	f := start(t, nil)
	status, answer := f.call("batch", `{"commands":[
		{"publish":{"channel":"chat:a","data":1,"id":"x"}}, {"publish":{"channel":"chat:a","data":1,"id":"x"}},
		{"publish":{"channel":"volatile:a","data":1}},
		{"update":{"channel":"reaction:a","op":"increment","key":"tada"}},
		{"broadcast":{"channels":["chat:a","bad name"],"data":2}},
		{"publish":{"channel":"chat:a","date":1}}, {"publish":{"channel":"chat:a"}}, {"publish":1}, {"publish":null},
		{}, {"history":{"channel":"chat:a"}}, {"publish":{"channel":"chat:a","data":1},"update":{}}, 1,
		{"publish":{"channel":"chat:a","data":`+strings.Repeat("[", 30)+strings.Repeat("]", 30)+`}},
		{"update":{"channel":"chat:a","op":"set","key":"k","value":1}},
		{"publish":{"channel":"chat:a","data":"last"}}]}`)
	if status != 200 {
		t.Fatalf("%d %v", status, answer)
	}
	want := []string{
		`"offset":1`, `"duplicate":true`, `{"publish":{}}`, `"applied":true`, `"name":"bad_channel"`,
		`\"publish.date\" is not a field`, "data is missing", "publish is not an object", "publish is null",
		"give exactly one of", `\"history\" is not a field`, "give exactly one of", "commands[12] is not an object",
		`"offset":3`, `"applied":true`, `"offset":5`,
	}
	results := list(answer["results"])
	if len(results) != len(want) {
		t.Fatalf("%d results, want %d: %v", len(results), len(want), results)
	}
	for i, result := range results {
		text, _ := json.Marshal(result)
		if !strings.Contains(string(text), want[i]) {
			t.Errorf("result %d is %s, want %s", i, text, want[i])
		}
	}
}

func TestABatchThatIsNone(t *testing.T) {
	f := start(t, nil)
	for body, detail := range map[string]string{
		`{}`:                         "commands is missing",
		`{"commands":{}}`:            "commands is not a list",
		`{"commands":[],"atomic":1}`: `"atomic" is not a field`,
		`{"commands":[{"publish":{"channel":"a","data":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}]}`: "nested",
		`{"commands":[{"publish":{"channel":"a","data":1,"data":2}}]}`:                                                "duplicate",
	} {
		if status, answer := f.call("batch", body); status != 400 || !strings.Contains(answer["detail"].(string), detail) {
			t.Errorf("%.60s: %d %v, want %s", body, status, answer, detail)
		}
	}
	if status, answer := f.call("batch", `{"commands":[]}`); status != 200 || len(list(answer["results"])) != 0 {
		t.Errorf("no commands: %d %v", status, answer)
	}
}

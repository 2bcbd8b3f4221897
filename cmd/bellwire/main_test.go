package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(actAsBellwire); folder != "" {
		go followTest(folder)
		main()
	}
	leak.Main(m)
}

// invoke runs the program in this process.
func invoke(t *testing.T, arguments ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(arguments, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func writeConfig(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwire.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, command := range commands() {
		if command.Short == "" || command.Args == nil {
			t.Errorf("%s lacks its short help or its arguments", command.Name())
		}
		code, out, _ := invoke(t, command.Name(), "--help")
		if code != 0 || !strings.Contains(out, "bellwire "+command.Name()) {
			t.Errorf("%s --help: %d %s", command.Name(), code, out)
		}
	}
}

func TestMistakesAreSaidWithoutTheWholeHelp(t *testing.T) {
	tests := []struct {
		name      string
		arguments []string
		want      string
	}{
		{"unknown command", []string{"sevre"}, `unknown command "sevre"`},
		{"unknown flag", []string{"serve", "--portt", "1"}, "unknown flag: --portt"},
		{"an argument too many", []string{"serve", "now"}, "now"},
		{"no such file", []string{"serve", "--config", "/nonexistent.yaml"}, "reading the configuration"},
		{"development for everybody", []string{"serve", "--dev", "--listen", "0.0.0.0:8000"}, "loopback only: use --listen 127.0.0.1:8000"},
		{"unknown key", []string{"check", "--config", writeConfig(t, "limts: {}")}, `unknown key "limts"; did you mean "limits"?`},
		{"log level", []string{"serve", "--log-level", "loud"}, `log.level: "loud" is no level`},
		{"token without user", []string{"token", "--dev"}, `required flag(s) "user" not set`},
		{"token without secret", []string{"token", "--user", "alice"}, "no secret to sign with"},
		{"token of nobody", []string{"token", "--dev", "--user", "~x"}, "must not begin with ~"},
		{"grant without actions", []string{"token", "--dev", "--user", "a", "--allow", "chat:*"}, "a grant is written"},
		{"grant of an unknown action", []string{"token", "--dev", "--user", "a", "--allow", "chat:*=dance"}, "actions are"},
		{"grant of a bad name", []string{"token", "--dev", "--user", "a", "--allow", "a b=publish"}, "neither a channel nor a pattern"},
		{"info that is no object", []string{"token", "--dev", "--user", "a", "--info", "[]"}, "--info must be a JSON object"},
		{"lifetime of nothing", []string{"token", "--dev", "--user", "a", "--lifetime", "0s"}, "--lifetime"},
		{"info in a subscription token", []string{"token", "--dev", "--user", "a", "--channel", "c", "--info", "{}"}, "belong in a connection token"},
		{"private key that is none", []string{"token", "--user", "a", "--private-key", writeConfig(t, "x"), "--algorithm", "ES256"}, "not a PEM file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, _, errOut := invoke(t, test.arguments...)
			if code != 1 || !strings.Contains(errOut, test.want) || !strings.HasPrefix(errOut, "bellwire: ") || strings.Contains(errOut, "Usage") {
				t.Errorf("exit code %d, %q, want %q", code, errOut, test.want)
			}
		})
	}
}

func TestCheckPrintsWhatIsInEffect(t *testing.T) {
	code, out, errOut := invoke(t, "check", "--listen", "0.0.0.0:9000")
	if code != 0 || !strings.Contains(out, "listen: 0.0.0.0:9000\n") || !strings.Contains(out, "message_bytes: 64KiB\n") {
		t.Errorf("%d %s", code, out)
	}
	if !strings.Contains(errOut, "warning: nobody can connect") || !strings.Contains(errOut, "without TLS") {
		t.Errorf("warnings: %s", errOut)
	}
	if code, _, errOut := invoke(t, "check", "--strict"); code != 1 || !strings.Contains(errOut, "warnings") {
		t.Errorf("strict: %d %s", code, errOut)
	}
	if code, out, _ := invoke(t, "check", "--dev"); code != 0 || !strings.Contains(out, "dev: true") || strings.Contains(out, "bellwire-development-secret") {
		t.Errorf("dev: %d %s", code, out)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _ := invoke(t, "version"); code != 0 || !strings.HasPrefix(out, "bellwire "+version+" (go") {
		t.Errorf("%d %q", code, out)
	}
}

func TestTokensAreMintedForTheConfiguration(t *testing.T) {
	file := writeConfig(t, `
tokens:
  issuer: shop
  audience: bellwire
  keys:
    - {id: new, algorithm: HS512, secret: 0123456789abcdef0123456789abcdef}
`)
	code, out, errOut := invoke(t, "token", "--config", file, "--user", "alice", "--key-id", "new")
	if code != 0 || strings.Count(out, ".") != 2 || !strings.HasPrefix(out, "eyJhbGciOiJIUzUxMiIs") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	if code, _, _ := invoke(t, "token", "--config", file, "--user", "alice", "--key-id", "old"); code != 1 {
		t.Error("a key that is not there signed")
	}
}

func TestTheProgramsName(t *testing.T) {
	for argument, want := range map[string]string{
		"bellwire": "bellwire", "bin/bellwire": "bin/bellwire", "./bellwire": "./bellwire", "/build/go-build1/exe/bellwire": "bellwire", "my dir/bellwire": "bellwire",
	} {
		if got := programName(argument); got != want {
			t.Errorf("%s: %s", argument, got)
		}
	}
}

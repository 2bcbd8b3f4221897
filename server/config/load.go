package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Sources is where a configuration comes from, the weakest first.
type Sources struct {
	File    string         // path of a YAML file, or ""
	Environ []string       // as os.Environ gives it
	Flags   map[string]any // by key, only those that were given
}

const (
	delimiter         = "."
	environmentPrefix = "BELLWIRE_"
)

// clientEnvironment is read by the subcommands that are clients, and is no key of the server.
var clientEnvironment = []string{"BELLWIRE_URL", "BELLWIRE_TOKEN", "BELLWIRE_API_URL", "BELLWIRE_API_KEY", "BELLWIRE_CONFIG"}

// Load reads all sources, fills in the defaults, reads the files that hold secrets, and validates.
func Load(sources Sources) (*Config, error) {
	merged, err := merge(sources)
	if err != nil {
		return nil, err
	}
	cfg := Default()
	if merged.Bool("dev") {
		cfg = devDefault()
	}
	if err := decode(merged.Raw(), &cfg); err != nil {
		return nil, err
	}
	if err := cfg.readFiles(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &cfg, nil
}

func merge(sources Sources) (*koanf.Koanf, error) {
	merged := koanf.New(delimiter)
	if sources.File != "" {
		if err := loadFile(merged, sources.File); err != nil {
			return nil, err
		}
	}
	if err := loadEnvironment(merged, sources.Environ); err != nil {
		return nil, err
	}
	if err := merged.Load(confmap.Provider(sources.Flags, delimiter), nil); err != nil {
		return nil, fmt.Errorf("flags: %w", err)
	}
	return merged, nil
}

func loadFile(merged *koanf.Koanf, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	file := koanf.New(delimiter)
	if err := file.Load(rawbytes.Provider(content), yaml.Parser()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := checkKeys("", file.Raw(), reflect.TypeFor[Config]()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return merged.Merge(file)
}

func loadEnvironment(merged *koanf.Koanf, environ []string) error {
	keys := environmentKeys()
	var unknown error
	provider := env.Provider(delimiter, env.Opt{
		Prefix:      environmentPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			field, known := keys[name]
			switch {
			case slices.Contains(clientEnvironment, name):
				return "", nil
			case !known:
				unknown = errors.Join(unknown, fmt.Errorf("unknown environment variable %s%s", name,
					suggestion("", name, slices.Sorted(maps.Keys(keys)))))
				return "", nil
			case field.Type == "list":
				return field.Key, splitList(value)
			}
			return field.Key, value
		},
	})
	if err := merged.Load(provider, nil); err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	return unknown
}

func splitList(text string) []any {
	items := []any{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// decode puts raw over what cfg holds. A namespace that is named has the defaults of a namespace where it says nothing.
func decode(raw map[string]any, cfg *Config) error {
	namespaces, _ := raw["namespaces"].(map[string]any)
	rest := maps.Clone(raw)
	delete(rest, "namespaces")
	if err := decodeInto(rest, cfg, ""); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(namespaces)) {
		settings := DefaultNamespace()
		if err := decodeInto(namespaces[name], &settings, "namespaces."+name+"."); err != nil {
			return err
		}
		cfg.Namespaces[name] = settings
	}
	return nil
}

func decodeInto(raw, target any, prefix string) error {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		TagName:     "koanf",
		Result:      target,
		ErrorUnused: true,
		ZeroFields:  true, // a list replaces a list
		DecodeHook:  decodeHook,
		MatchName:   func(key, field string) bool { return key == field },
	})
	if err != nil {
		return err
	}
	if err := decoder.Decode(raw); err != nil {
		return decodeError(prefix, err)
	}
	return nil
}

// decodeError gives the first wrong value by its key, without the library's list.
func decodeError(prefix string, err error) error {
	var wrong *mapstructure.DecodeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s%s: %w", prefix, wrong.Name(), wrong.Unwrap())
	}
	return fmt.Errorf("%s%w", prefix, err)
}

// decodeHook turns what files, the environment and flags hold into the types of the fields. A number without a unit is
// not a duration: nobody knows whether 5 means seconds.
func decodeHook(from, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	switch {
	case from.Kind() == reflect.Float64:
		return nil, fmt.Errorf("%v is not a whole number", value)
	case to == reflect.TypeFor[time.Duration]():
		return decodeDuration(from, text, isText, value)
	case to == reflect.TypeFor[Size]() && isText:
		return ParseSize(text)
	case to.Kind() == reflect.Bool && isText:
		return decodeSwitch(text)
	case to.Kind() == reflect.Int && isText:
		return decodeNumber(text)
	}
	return value, nil
}

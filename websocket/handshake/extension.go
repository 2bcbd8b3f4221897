package handshake

import (
	"errors"
	"strings"
)

// Extension is one item of a Sec-WebSocket-Extensions field: an offer in a
// request, a choice in a response.
type Extension struct {
	Name   string
	Params []Param
}

// Param is a parameter of an extension. HasValue tells `a` from `a=""`.
type Param struct {
	Name     string
	Value    string
	HasValue bool
}

// paramsMax is how many parameters one extension may have.
const paramsMax = 16

// What is wrong with a Sec-WebSocket-Extensions field.
var (
	errExtensionSyntax = errors.New("the extension list is malformed")
	errExtensionCount  = errors.New("too many extensions")
	errParamCount      = errors.New("too many parameters of an extension")
)

// ParseExtensions reads the Sec-WebSocket-Extensions fields of a message
// (RFC 6455 9.1), at most max items. It looks at each byte once.
func ParseExtensions(fields []string, max int) ([]Extension, error) {
	var all []Extension
	for _, field := range fields {
		p := parser{rest: field}
		for {
			extension, err := p.extension()
			if err != nil {
				return nil, err
			}
			if len(all) == max {
				return nil, errExtensionCount
			}
			all = append(all, extension)
			if p.skipSpace(); p.rest == "" {
				break
			}
			if !p.accept(',') {
				return nil, errExtensionSyntax
			}
		}
	}
	return all, nil
}

// parser walks along a field; rest is what it has not looked at.
type parser struct{ rest string }

func (p *parser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *parser) accept(c byte) bool {
	p.skipSpace()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	p.skipSpace()
	return true
}

func (p *parser) token() (string, bool) {
	n := 0
	for n < len(p.rest) && isTokenByte(p.rest[n]) {
		n++
	}
	token := p.rest[:n]
	p.rest = p.rest[n:]
	return token, n > 0
}

// quoted reads a quoted string whose first quote has been read.
// RFC 6455 9.1: what is in it must, unescaped, be a token.
func (p *parser) quoted() (string, bool) {
	var value strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return value.String(), value.Len() > 0
		case c == '\\' && i+1 < len(p.rest):
			i++
			c = p.rest[i]
		}
		if !isTokenByte(c) {
			return "", false
		}
		value.WriteByte(c)
	}
	return "", false
}

func (p *parser) extension() (Extension, error) {
	p.skipSpace()
	name, ok := p.token()
	if !ok {
		return Extension{}, errExtensionSyntax
	}
	extension := Extension{Name: name}
	for p.accept(';') {
		if len(extension.Params) == paramsMax {
			return Extension{}, errParamCount
		}
		param, ok := p.param()
		if !ok {
			return Extension{}, errExtensionSyntax
		}
		extension.Params = append(extension.Params, param)
	}
	return extension, nil
}

func (p *parser) param() (Param, bool) {
	name, ok := p.token()
	if !ok {
		return Param{}, false
	}
	param := Param{Name: name}
	if !p.accept('=') {
		return param, true
	}
	param.HasValue = true
	if p.accept('"') {
		param.Value, ok = p.quoted()
	} else {
		param.Value, ok = p.token()
	}
	return param, ok
}

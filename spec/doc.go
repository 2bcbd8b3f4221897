// Package spec holds what is embedded of this folder: the description of the HTTP API.
package spec

// Package settings says what can be configured, once: each key is a flag of the
// commands that start a node, an environment variable and a line of the configuration
// file, with one name, one description and one default.
//
// A flag wins over the environment, the environment over the file, the file over the
// default. Values that cannot be read, and keys that do not exist, are errors that name
// the key, the value, where it came from and the fix. docs/configuration.md is made
// from the same table.
package settings

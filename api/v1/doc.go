// Package v1 holds the JSON objects of version 1 of the REST API. Package api serves
// them and package client reads them, so that the two cannot drift apart.
//
// Conventions: ids are UUIDs; times are RFC 3339 in UTC; durations are whole seconds
// and say so in their name; money is a decimal string in the currency that the object
// names. What is empty or does not apply is left out. The tags doc, example, enum and
// so on become the OpenAPI description and are enforced on requests.
package v1

// Package console is the web console: pages that a browser loads once, and that ask the
// REST API from then on, with the token that their user has signed in with.
//
// # Pages
//
// Cluster shows sites and nodes, what each thinks of the others, and takes a node out of
// use. Conferences shows who is in and who speaks, and mutes, removes, locks, records and
// ends. Calls shows each call step by step. Codecs shows which are on, and what to install
// for those that are not. Who may see or do what, the API decides.
//
// # How it is made
//
// Plain HTML, CSS and JavaScript modules without any library or build, embedded in the
// program. A page is a view in web/views: load asks the API, draw makes elements of the
// answer. web/app.js finds the view by the fragment of the address, loads it every two
// seconds while the page is seen, and changes only what is different (web/dom.js), so that
// focus and scrolling stay. Text is only ever set as text: what callers send cannot become
// markup, and the content security policy forbids scripts that are not these files.
package console

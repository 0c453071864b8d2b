package v1

import "time"

// AccessNumber is a number that callers dial.
type AccessNumber struct {
	ID          string `json:"id"`
	Number      string `json:"number" example:"18665552637"`
	Application string `json:"application" enum:"conference"`
	CodeSpace   string `json:"codeSpace" doc:"The set of access codes that the number accepts; numbers of one service share it"`
	RoomID      string `json:"roomId,omitempty" doc:"The number's own room: callers need no code and are guests"`
	CustomerID  string `json:"customerId,omitempty" doc:"Only rooms of this customer can be reached"`
	Language    string `json:"language,omitempty" example:"en"`
}

// NewAccessNumber asks for an access number.
type NewAccessNumber struct {
	Number     string `json:"number" pattern:"^[0-9]{1,32}$" patternDescription:"1 to 32 digits, as the carrier sends them, without a plus sign" example:"18665552637"`
	CodeSpace  string `json:"codeSpace,omitempty" maxLength:"255" doc:"Empty: the number itself"`
	RoomID     string `json:"roomId,omitempty" maxLength:"64"`
	CustomerID string `json:"customerId,omitempty" maxLength:"64"`
	Language   string `json:"language,omitempty" maxLength:"35" doc:"BCP 47; selects the prompts" default:"en"`
}

// CallRule decides how an incoming call is authorized.
type CallRule struct {
	ID        string `json:"id"`
	Position  int    `json:"position" doc:"Rules are tried by ascending position"`
	Source    string `json:"source,omitempty" doc:"Network; empty: any" example:"192.0.2.0/24"`
	Transport string `json:"transport,omitempty" doc:"Empty: any"`
	Called    string `json:"called,omitempty" doc:"Pattern over the called number: * any run, ? any one character; empty: any"`
	Action    string `json:"action" enum:"trust,digest,refuse"`
}

// NewCallRule asks for a rule.
type NewCallRule struct {
	Position  int    `json:"position" minimum:"-1000000000" maximum:"1000000000" doc:"Unique; the first rule that matches in all its fields decides"`
	Source    string `json:"source,omitempty" maxLength:"64" doc:"Network in CIDR form; empty: any" example:"192.0.2.0/24"`
	Transport string `json:"transport,omitempty" enum:"udp,tcp,tls,ws,wss" doc:"Left out: any"`
	Called    string `json:"called,omitempty" maxLength:"255"`
	Action    string `json:"action" enum:"trust,digest,refuse" doc:"trust: by remote address; digest: by user name and password"`
}

// SIPUser may call with a password.
type SIPUser struct {
	Username  string `json:"username"`
	Realm     string `json:"realm"`
	AccountID string `json:"accountId"`
}

// PutSIPUser sets a user's account and password.
type PutSIPUser struct {
	Account  string `json:"account" minLength:"1" maxLength:"255" doc:"Id or name"`
	Password string `json:"password" minLength:"8" maxLength:"128" writeOnly:"true" doc:"Only hashes of it are kept"`
	Realm    string `json:"realm,omitempty" maxLength:"128" doc:"Empty: the server's"`
}

// Token lets a program use the API.
type Token struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role" enum:"operator,customer,readonly"`
	CustomerID string    `json:"customerId,omitempty"`
	CreatedAt  time.Time `json:"createdAt"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
}

// NewToken asks for a token.
type NewToken struct {
	Name       string    `json:"name" minLength:"1" maxLength:"100" pattern:"^[\\p{L}\\p{N}][\\p{L}\\p{N} ._@-]*$" patternDescription:"letters, digits, spaces and . _ @ -" doc:"Who or what uses it; written into histories, ledgers and logs" example:"billing-export"`
	Role       string    `json:"role" enum:"operator,customer,readonly" doc:"operator: everything; customer: everything of one customer; readonly: sees one customer's things"`
	CustomerID string    `json:"customerId,omitempty" maxLength:"64" doc:"Needed for customer and readonly; not for operator"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero" doc:"Left out: never"`
}

// TokenSecret is a token when it is made: the only time that its secret is told.
type TokenSecret struct {
	Token
	Secret string `json:"secret" doc:"Send it as Authorization: Bearer SECRET. It cannot be read again"`
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Cursor: pass it as ?after= for the next page. Left out on the last page"`
}

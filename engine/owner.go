// Who an object on an engine belongs to.

package engine

// OwnerKind says how long an object lives.
type OwnerKind string

// The kinds of owner.
const (
	OwnerSession OwnerKind = "session" // until its session ends
	OwnerKept    OwnerKind = "kept"    // until someone removes it
	OwnerReuse   OwnerKind = "reuse"   // between runs, as long as its hash is the same
	OwnerEnv     OwnerKind = "env"     // a part of an environment, until that goes down
)

// An Owner is given with each create; its labels are in the create request, so
// that nothing of ours ever exists without them. The zero Owner writes no labels
// but the nonce.
type Owner struct {
	Kind    OwnerKind
	Name    string // of the environment or of the reused object
	Session string
	Process string // see ProcessID
}

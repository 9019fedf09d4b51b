// Package deptest holds the rules about which package may import which. They are tests, in this package, and each states its
// reason: where a rule is in the way, the reason says whether the import or the rule is wrong.
package deptest

package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
)

// The search attributes of runs. They are set as far as the namespace has them.
const (
	AttributeJob      = "DurasyncJob"
	AttributeOutcome  = "DurasyncOutcome"
	AttributeCreated  = "DurasyncCreated"
	AttributeRejected = "DurasyncRejected"
	AttributeFailed   = "DurasyncFailed"
)

// SearchAttributes returns the types of the search attributes of runs, for those who register them. Three integers are all that a
// Temporal server on a SQL database has for a namespace.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		AttributeJob:      enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeOutcome:  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeCreated:  enumspb.INDEXED_VALUE_TYPE_INT,
		AttributeRejected: enumspb.INDEXED_VALUE_TYPE_INT,
		AttributeFailed:   enumspb.INDEXED_VALUE_TYPE_INT,
	}
}

package plugintest

import (
	"context"
	"iter"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// ExamineDirectly is Examine by calls of the connector's methods.
func ExamineDirectly(ctx context.Context, h Harness) (iter.Seq[Outcome], error) {
	first, err := h.New().Describe(ctx, &plugin.DescribeRequest{})
	if err != nil {
		return nil, err
	}
	return examine(ctx, h, direct, first, hclog.NewNullLogger()), nil
}

// RuleNames are the names of all rules.
func RuleNames() []string {
	var names []string
	for _, r := range slices.Concat(describeRules, sourceRules, destinationRules, previewRules, troubleRules) {
		names = append(names, r.name)
	}
	return names
}

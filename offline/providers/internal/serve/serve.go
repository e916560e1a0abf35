// Package serve starts one of the compatible providers the way the engine expects a plugin to start.
package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Mark is the build metadata that every compatible provider carries in its version, so that
// `pulumi plugin ls`, `pulumi about` and the state's manifest tell it from an official build.
const Mark = "offline"

// moduleFormat is what the official bridged providers publish. Without it the CLI refuses
// tokens such as "tls:index/privateKey:PrivateKey" when it binds the schema.
const moduleFormat = "(.*)(?:/[^/]*)"

// Version is the version of the official package that a provider stands in for, plus the mark.
func Version(official string) string { return official + "+" + Mark }

// Main builds the provider and serves it until the engine hangs up.
func Main(name, official string, build func() (p.Provider, error)) {
	provider, err := build()
	if err == nil {
		err = p.RunProvider(context.Background(), name, Version(official), WithModuleFormat(provider))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Build turns resources and a config into a provider; it is infer's builder with our metadata.
func Build(name string, config infer.InferredConfig, resources ...infer.InferredResource) (p.Provider, error) {
	builder := infer.NewProviderBuilder().
		WithResources(resources...).
		WithDisplayName(name + " (compatible)").
		WithDescription("A stand-in for the official " + name + " provider where that cannot be downloaded.")
	if config != nil {
		builder = builder.WithConfig(config)
	}
	return builder.Build()
}

// WithModuleFormat adds meta.moduleFormat, which infer cannot express, to the provider's schema.
func WithModuleFormat(provider p.Provider) p.Provider {
	inner := provider.GetSchema
	provider.GetSchema = func(ctx context.Context, req p.GetSchemaRequest) (p.GetSchemaResponse, error) {
		resp, err := inner(ctx, req)
		if err != nil {
			return resp, err
		}
		var spec map[string]any
		if err := json.Unmarshal([]byte(resp.Schema), &spec); err != nil {
			return resp, fmt.Errorf("read the inferred schema: %w", err)
		}
		spec["meta"] = map[string]any{"moduleFormat": moduleFormat}
		text, err := json.Marshal(spec)
		if err != nil {
			return resp, fmt.Errorf("write the schema: %w", err)
		}
		resp.Schema = string(text)
		return resp, nil
	}
	return provider
}

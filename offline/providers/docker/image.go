package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/image"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// RemoteImage makes an image present on the daemon: a local one of that name is used as it is,
// only an absent one is pulled.
type RemoteImage struct{}

// RemoteImageInputs are the inputs of RemoteImage.
type RemoteImageInputs struct {
	Name         string            `pulumi:"name" provider:"replaceOnChanges"`
	ForceRemove  *bool             `pulumi:"forceRemove,optional"`
	KeepLocally  *bool             `pulumi:"keepLocally,optional"`
	Platform     *string           `pulumi:"platform,optional" provider:"replaceOnChanges"`
	PullTriggers []string          `pulumi:"pullTriggers,optional" provider:"replaceOnChanges"`
	Triggers     map[string]string `pulumi:"triggers,optional" provider:"replaceOnChanges"`
}

// RemoteImageState is the state of RemoteImage.
type RemoteImageState struct {
	RemoteImageInputs
	ImageID    string `pulumi:"imageId"`
	RepoDigest string `pulumi:"repoDigest"`
}

var imageFields = []field{
	{name: "name", replace: true},
	{name: "forceRemove"},
	{name: "keepLocally"},
	{name: "platform", replace: true},
	{name: "pullTriggers", shape: set, replace: true},
	{name: "triggers", shape: mapping, replace: true},
}

// Annotate gives the resource its official token.
func (r *RemoteImage) Annotate(a infer.Annotator) {
	a.SetToken("index/remoteImage", "RemoteImage")
	a.Describe(&r, "An image that is present on the Docker daemon.")
}

// WireDependencies keeps the image id known in the preview of an update, which never changes it.
func (*RemoteImage) WireDependencies(f infer.FieldSelector, in *RemoteImageInputs, out *RemoteImageState) {
	f.OutputField(out).DependsOn(f.InputField(&in.Name).Computed())
}

// Create finds the image, or pulls it.
func (*RemoteImage) Create(
	ctx context.Context, req infer.CreateRequest[RemoteImageInputs],
) (infer.CreateResponse[RemoteImageState], error) {
	state := RemoteImageState{RemoteImageInputs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[RemoteImageState]{Output: state}, nil
	}
	state, err := ensureState(ctx, req.Inputs)
	return infer.CreateResponse[RemoteImageState]{ID: imageResourceID(state), Output: state}, err
}

// Update records the new inputs; an image that has gone meanwhile is pulled again.
func (*RemoteImage) Update(
	ctx context.Context, req infer.UpdateRequest[RemoteImageInputs, RemoteImageState],
) (infer.UpdateResponse[RemoteImageState], error) {
	if req.DryRun {
		state := req.State
		state.RemoteImageInputs = req.Inputs
		return infer.UpdateResponse[RemoteImageState]{Output: state}, nil
	}
	state, err := ensureState(ctx, req.Inputs)
	return infer.UpdateResponse[RemoteImageState]{Output: state}, err
}

// Read finds the image by its name; its id, and with it the resource's, may have changed.
func (*RemoteImage) Read(
	ctx context.Context, req infer.ReadRequest[RemoteImageInputs, RemoteImageState],
) (infer.ReadResponse[RemoteImageInputs, RemoteImageState], error) {
	var gone infer.ReadResponse[RemoteImageInputs, RemoteImageState]
	e := engineOf(ctx)
	name := req.State.Name
	if name == "" {
		return gone, fmt.Errorf("a docker.RemoteImage cannot be imported: its name is not part of what Docker keeps; " +
			"declare it without import, a local image is used as it is")
	}
	found, err := e.ImageInspect(ctx, name)
	if isGone(err) {
		return gone, nil
	}
	if err != nil {
		return gone, e.explain("cannot read image "+name, err)
	}
	state := imageState(req.State.RemoteImageInputs, found)
	return infer.ReadResponse[RemoteImageInputs, RemoteImageState]{
		ID: imageResourceID(state), Inputs: req.Inputs, State: state,
	}, nil
}

// Delete removes the name, and with it the image if no other name is left; keepLocally leaves both.
func (*RemoteImage) Delete(
	ctx context.Context, req infer.DeleteRequest[RemoteImageState],
) (infer.DeleteResponse, error) {
	if deref(req.State.KeepLocally) {
		return infer.DeleteResponse{}, nil
	}
	e := engineOf(ctx)
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()
	_, err := e.ImageRemove(ctx, req.State.Name, image.RemoveOptions{Force: deref(req.State.ForceRemove)})
	if err != nil && !isGone(err) {
		return infer.DeleteResponse{}, e.explain("cannot remove image "+req.State.Name, err)
	}
	return infer.DeleteResponse{}, nil
}

func ensureState(ctx context.Context, in RemoteImageInputs) (RemoteImageState, error) {
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()
	found, err := engineOf(ctx).ensureImage(ctx, in.Name, deref(in.Platform))
	if err != nil {
		return RemoteImageState{RemoteImageInputs: in}, err
	}
	return imageState(in, found), nil
}

func imageState(in RemoteImageInputs, found image.InspectResponse) RemoteImageState {
	return RemoteImageState{
		RemoteImageInputs: in,
		ImageID:           found.ID,
		RepoDigest:        repoDigest(in.Name, found.RepoDigests),
	}
}

// imageResourceID is the official id of the resource: both parts, with nothing between them.
func imageResourceID(s RemoteImageState) string { return s.ImageID + s.Name }

// repoDigest is "" for an image that no registry has seen. Among several digests it takes the one
// whose repository is spelled as in the name; the official provider guesses the same way.
func repoDigest(name string, digests []string) string {
	if len(digests) == 1 {
		return digests[0]
	}
	repository, _, _ := strings.Cut(name, ":")
	for _, digest := range digests {
		if prefix, _, _ := strings.Cut(digest, "@"); prefix == repository {
			return digest
		}
	}
	return ""
}

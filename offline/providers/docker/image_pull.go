package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	p "github.com/pulumi/pulumi-go-provider"
)

// dockerHubKey is how `docker login` without a host name files its credentials.
const dockerHubKey = "https://index.docker.io/v1/"

// ensureImage finds a local image by name or id, and pulls it only if there is none.
func (e *engine) ensureImage(ctx context.Context, name, platform string) (image.InspectResponse, error) {
	found, err := e.ImageInspect(ctx, name)
	if err == nil {
		return found, nil
	}
	if !isGone(err) {
		return found, e.explain("cannot look for image "+name, err)
	}
	if err := e.pull(ctx, name, platform); err != nil {
		return found, e.explain("image "+name+" is not on the Docker host and cannot be pulled", err)
	}
	found, err = e.ImageInspect(ctx, name)
	if err != nil {
		return found, e.explain("image "+name+" was pulled but cannot be found", err)
	}
	return found, nil
}

func (e *engine) pull(ctx context.Context, name, platform string) error {
	p.GetLogger(ctx).InfoStatusf("pulling %s", name)
	stream, err := e.ImagePull(ctx, name, image.PullOptions{Platform: platform, RegistryAuth: registryAuth(name)})
	if err != nil {
		return err
	}
	defer stream.Close()
	// A failure in the middle of a pull comes as a message in the stream.
	for decoder := json.NewDecoder(stream); decoder.More(); {
		var message struct {
			Error string `json:"error"`
		}
		if err := decoder.Decode(&message); err != nil {
			return err
		}
		if message.Error != "" {
			return errors.New(message.Error)
		}
	}
	return ctx.Err()
}

// registryAuth is what `docker login` has left in the Docker config file for the image's
// registry. Without it the pull is anonymous.
func registryAuth(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	folder := os.Getenv("DOCKER_CONFIG")
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		folder = filepath.Join(home, ".docker")
	}
	text, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		return ""
	}
	return authHeader(text, reference.Domain(named))
}

func authHeader(configFile []byte, domain string) string {
	var config struct {
		Auths map[string]struct {
			Auth          string `json:"auth"`
			IdentityToken string `json:"identitytoken"`
		} `json:"auths"`
	}
	if json.Unmarshal(configFile, &config) != nil {
		return ""
	}
	keys := []string{domain, "https://" + domain}
	if domain == "docker.io" {
		keys = []string{dockerHubKey}
	}
	for _, key := range keys {
		entry, ok := config.Auths[key]
		if !ok {
			continue
		}
		pair, err := base64.StdEncoding.DecodeString(entry.Auth)
		if err != nil {
			return ""
		}
		user, password, _ := strings.Cut(string(pair), ":")
		header, err := registry.EncodeAuthConfig(registry.AuthConfig{
			Username: user, Password: password, IdentityToken: entry.IdentityToken, ServerAddress: key,
		})
		if err != nil {
			return ""
		}
		return header
	}
	return ""
}

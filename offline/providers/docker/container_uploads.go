package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/docker/docker/api/types/container"
)

const (
	plainFileMode      = 0o644
	executableFileMode = 0o744
)

// archive is one file, packed the way the daemon takes it.
type archive struct {
	file    string
	content []byte
}

// uploadArchives packs the files before anything is created, so that a wrong entry leaves nothing
// behind. No message ever holds a content.
func uploadArchives(uploads []ContainerUpload) ([]archive, error) {
	var archives []archive
	for _, u := range uploads {
		content, err := pack(u)
		if err != nil {
			return nil, fmt.Errorf("cannot upload %s: %w", u.File, err)
		}
		archives = append(archives, archive{file: u.File, content: content})
	}
	return archives, nil
}

// upload unpacks each file at the root of the container's own file system.
func (e *engine) upload(ctx context.Context, id, name string, files []archive) error {
	for _, f := range files {
		err := e.CopyToContainer(ctx, id, "/", bytes.NewReader(f.content), container.CopyToContainerOptions{})
		if err != nil {
			return e.explain(fmt.Sprintf("cannot upload %s to container %s", f.file, name), err)
		}
	}
	return nil
}

func pack(u ContainerUpload) ([]byte, error) {
	content, err := uploadContent(u)
	if err != nil {
		return nil, err
	}
	header := &tar.Header{Name: u.File, Size: int64(len(content))}
	if header.Mode, err = uploadMode(u); err != nil {
		return nil, err
	}
	if header.Uid, err = numericID(deref(u.Owner), userID); err != nil {
		return nil, err
	}
	if header.Gid, err = numericID(deref(u.Group), groupID); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func uploadContent(u ContainerUpload) ([]byte, error) {
	text, encoded, source := deref(u.Content), deref(u.ContentBase64), deref(u.Source)
	given := boolToInt(text != "") + boolToInt(encoded != "") + boolToInt(source != "")
	switch {
	case given != 1:
		return nil, errors.New("give exactly one of content, contentBase64 and source, and not an empty one")
	case encoded != "":
		return base64.StdEncoding.DecodeString(encoded)
	case source != "":
		return os.ReadFile(source)
	default:
		return []byte(text), nil
	}
}

func uploadMode(u ContainerUpload) (int64, error) {
	if permissions := deref(u.Permissions); permissions != "" {
		return strconv.ParseInt(permissions, 8, 32)
	}
	if deref(u.Executable) {
		return executableFileMode, nil
	}
	return plainFileMode, nil
}

// numericID takes a number as it is; a name is looked up on the machine that runs Pulumi, not in
// the container, as the official provider does.
func numericID(name string, lookup func(string) (string, error)) (int, error) {
	if name == "" {
		return 0, nil
	}
	if id, err := strconv.Atoi(name); err == nil {
		return id, nil
	}
	id, err := lookup(name)
	if err != nil {
		return 0, fmt.Errorf("%w; use a numeric id, since names are looked up on the machine that runs Pulumi", err)
	}
	return strconv.Atoi(id)
}

func userID(name string) (string, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return found.Uid, nil
}

func groupID(name string) (string, error) {
	found, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return found.Gid, nil
}

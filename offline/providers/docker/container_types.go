package docker

import "github.com/pulumi/pulumi-go-provider/infer"

// ContainerCapabilities adds and drops Linux capabilities.
type ContainerCapabilities struct {
	Adds  []string `pulumi:"adds,optional"`
	Drops []string `pulumi:"drops,optional"`
}

// ContainerHealthcheck is the command that tells whether the container is well.
type ContainerHealthcheck struct {
	Interval      *string  `pulumi:"interval,optional"`
	Retries       *int     `pulumi:"retries,optional"`
	StartInterval *string  `pulumi:"startInterval,optional"`
	StartPeriod   *string  `pulumi:"startPeriod,optional"`
	Tests         []string `pulumi:"tests,optional"`
	Timeout       *string  `pulumi:"timeout,optional"`
}

// ContainerHost is a line for the container's /etc/hosts.
type ContainerHost struct {
	Host string `pulumi:"host"`
	IP   string `pulumi:"ip"`
}

// ContainerMount is one mount in the long form.
type ContainerMount struct {
	BindOptions   *ContainerMountBindOptions   `pulumi:"bindOptions,optional"`
	ReadOnly      *bool                        `pulumi:"readOnly,optional"`
	Source        *string                      `pulumi:"source,optional"`
	Target        string                       `pulumi:"target"`
	TmpfsOptions  *ContainerMountTmpfsOptions  `pulumi:"tmpfsOptions,optional"`
	Type          string                       `pulumi:"type"`
	VolumeOptions *ContainerMountVolumeOptions `pulumi:"volumeOptions,optional"`
}

// ContainerMountBindOptions are the options of a bind mount.
type ContainerMountBindOptions struct {
	Propagation *string `pulumi:"propagation,optional"`
}

// ContainerMountTmpfsOptions are the options of a tmpfs mount.
type ContainerMountTmpfsOptions struct {
	Mode      *int `pulumi:"mode,optional"`
	SizeBytes *int `pulumi:"sizeBytes,optional"`
}

// ContainerMountVolumeOptions are the options of a volume mount.
type ContainerMountVolumeOptions struct {
	DriverName    *string           `pulumi:"driverName,optional"`
	DriverOptions map[string]string `pulumi:"driverOptions,optional"`
	Labels        []Label           `pulumi:"labels,optional"`
	NoCopy        *bool             `pulumi:"noCopy,optional"`
	Subpath       *string           `pulumi:"subpath,optional"`
}

// ContainerNetworkAdvanced attaches the container to a network.
type ContainerNetworkAdvanced struct {
	Aliases      []string `pulumi:"aliases,optional"`
	DriverOpts   []string `pulumi:"driverOpts,optional"`
	GwPriority   *int     `pulumi:"gwPriority,optional"`
	Ipv4Address  *string  `pulumi:"ipv4Address,optional"`
	Ipv6Address  *string  `pulumi:"ipv6Address,optional"`
	LinkLocalIps []string `pulumi:"linkLocalIps,optional"`
	MacAddress   *string  `pulumi:"macAddress,optional"`
	Name         string   `pulumi:"name"`
}

// ContainerNetworkData is what the daemon says about one attached network.
type ContainerNetworkData struct {
	Gateway                *string `pulumi:"gateway,optional"`
	GlobalIpv6Address      *string `pulumi:"globalIpv6Address,optional"`
	GlobalIpv6PrefixLength *int    `pulumi:"globalIpv6PrefixLength,optional"`
	IPAddress              *string `pulumi:"ipAddress,optional"`
	IPPrefixLength         *int    `pulumi:"ipPrefixLength,optional"`
	Ipv6Gateway            *string `pulumi:"ipv6Gateway,optional"`
	MacAddress             *string `pulumi:"macAddress,optional"`
	NetworkName            *string `pulumi:"networkName,optional"`
}

// ContainerPort publishes a port on the Docker host.
type ContainerPort struct {
	External *int    `pulumi:"external,optional"`
	Internal int     `pulumi:"internal"`
	IP       *string `pulumi:"ip,optional"`
	Protocol *string `pulumi:"protocol,optional"`
}

// ContainerUlimit is one resource limit.
type ContainerUlimit struct {
	Hard int    `pulumi:"hard"`
	Name string `pulumi:"name"`
	Soft int    `pulumi:"soft"`
}

// ContainerUpload is a file that is put into the container before it starts.
type ContainerUpload struct {
	Content       *string `pulumi:"content,optional"`
	ContentBase64 *string `pulumi:"contentBase64,optional"`
	Executable    *bool   `pulumi:"executable,optional"`
	File          string  `pulumi:"file"`
	Group         *string `pulumi:"group,optional"`
	Owner         *string `pulumi:"owner,optional"`
	Permissions   *string `pulumi:"permissions,optional"`
	Source        *string `pulumi:"source,optional"`
	SourceHash    *string `pulumi:"sourceHash,optional"`
}

// ContainerVolume mounts a named volume, a host path, or the volumes of another container.
type ContainerVolume struct {
	ContainerPath  *string `pulumi:"containerPath,optional"`
	FromContainer  *string `pulumi:"fromContainer,optional"`
	HostPath       *string `pulumi:"hostPath,optional"`
	ReadOnly       *bool   `pulumi:"readOnly,optional"`
	SelinuxRelabel *string `pulumi:"selinuxRelabel,optional"`
	VolumeName     *string `pulumi:"volumeName,optional"`
}

// Annotate gives the type its official token.
func (*ContainerCapabilities) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerCapabilities", "ContainerCapabilities")
}

// Annotate gives the type its official token.
func (*ContainerHealthcheck) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerHealthcheck", "ContainerHealthcheck")
}

// Annotate gives the type its official token.
func (*ContainerHost) Annotate(a infer.Annotator) { a.SetToken("index/ContainerHost", "ContainerHost") }

// Annotate gives the type its official token.
func (*ContainerMount) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerMount", "ContainerMount")
}

// Annotate gives the type its official token.
func (*ContainerMountBindOptions) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerMountBindOptions", "ContainerMountBindOptions")
}

// Annotate gives the type its official token.
func (*ContainerMountTmpfsOptions) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerMountTmpfsOptions", "ContainerMountTmpfsOptions")
}

// Annotate gives the type its official token.
func (*ContainerMountVolumeOptions) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerMountVolumeOptions", "ContainerMountVolumeOptions")
}

// Annotate gives the type its official token.
func (*ContainerNetworkAdvanced) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerNetworksAdvanced", "ContainerNetworksAdvanced")
}

// Annotate gives the type its official token.
func (*ContainerNetworkData) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerNetworkData", "ContainerNetworkData")
}

// Annotate gives the type its official token.
func (*ContainerPort) Annotate(a infer.Annotator) { a.SetToken("index/ContainerPort", "ContainerPort") }

// Annotate gives the type its official token.
func (*ContainerUlimit) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerUlimit", "ContainerUlimit")
}

// Annotate gives the type its official token.
func (*ContainerUpload) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerUpload", "ContainerUpload")
}

// Annotate gives the type its official token.
func (*ContainerVolume) Annotate(a infer.Annotator) {
	a.SetToken("index/ContainerVolume", "ContainerVolume")
}

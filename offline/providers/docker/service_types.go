package docker

import "github.com/pulumi/pulumi-go-provider/infer"

// ServiceConvergeConfig makes create and update wait until the tasks run.
type ServiceConvergeConfig struct {
	Delay   *string `pulumi:"delay,optional"`
	Timeout *string `pulumi:"timeout,optional"`
}

// ServiceEndpointSpec says how the service is found and which ports it publishes.
type ServiceEndpointSpec struct {
	Mode  *string       `pulumi:"mode,optional"`
	Ports []ServicePort `pulumi:"ports,optional"`
}

// ServicePort publishes a port, on every node (ingress) or where a task runs (host).
type ServicePort struct {
	Name          *string `pulumi:"name,optional"`
	Protocol      *string `pulumi:"protocol,optional"`
	PublishMode   *string `pulumi:"publishMode,optional"`
	PublishedPort *int    `pulumi:"publishedPort,optional"`
	TargetPort    int     `pulumi:"targetPort"`
}

// ServiceMode is one task per node, or a number of replicas.
type ServiceMode struct {
	Global     *bool              `pulumi:"global,optional"`
	Replicated *ServiceReplicated `pulumi:"replicated,optional"`
}

// ServiceReplicated is the number of replicas.
type ServiceReplicated struct {
	Replicas *int `pulumi:"replicas,optional"`
}

// ServiceUpdateConfig says how tasks are replaced, by an update or by a rollback.
type ServiceUpdateConfig struct {
	Delay           *string `pulumi:"delay,optional"`
	FailureAction   *string `pulumi:"failureAction,optional"`
	MaxFailureRatio *string `pulumi:"maxFailureRatio,optional"`
	Monitor         *string `pulumi:"monitor,optional"`
	Order           *string `pulumi:"order,optional"`
	Parallelism     *int    `pulumi:"parallelism,optional"`
}

// ServiceTaskSpec is what every task of the service is made from.
type ServiceTaskSpec struct {
	ContainerSpec     ServiceContainerSpec  `pulumi:"containerSpec"`
	ForceUpdate       *int                  `pulumi:"forceUpdate,optional"`
	LogDriver         *ServiceLogDriver     `pulumi:"logDriver,optional"`
	NetworksAdvanceds []ServiceNetwork      `pulumi:"networksAdvanceds,optional"`
	Placement         *ServicePlacement     `pulumi:"placement,optional"`
	Resources         *ServiceResources     `pulumi:"resources,optional"`
	RestartPolicy     *ServiceRestartPolicy `pulumi:"restartPolicy,optional"`
	Runtime           *string               `pulumi:"runtime,optional"`
}

// ServiceContainerSpec is the container of a task.
type ServiceContainerSpec struct {
	Args            []string            `pulumi:"args,optional"`
	CapAdds         []string            `pulumi:"capAdds,optional"`
	CapDrops        []string            `pulumi:"capDrops,optional"`
	Commands        []string            `pulumi:"commands,optional"`
	Dir             *string             `pulumi:"dir,optional"`
	DNSConfig       *ServiceDNSConfig   `pulumi:"dnsConfig,optional"`
	Env             map[string]string   `pulumi:"env,optional"`
	Groups          []string            `pulumi:"groups,optional"`
	Healthcheck     *ServiceHealthcheck `pulumi:"healthcheck,optional"`
	Hostname        *string             `pulumi:"hostname,optional"`
	Hosts           []ContainerHost     `pulumi:"hosts,optional"`
	Image           string              `pulumi:"image"`
	Init            *bool               `pulumi:"init,optional"`
	Isolation       *string             `pulumi:"isolation,optional"`
	Labels          []Label             `pulumi:"labels,optional"`
	Mounts          []ServiceMount      `pulumi:"mounts,optional"`
	Privileges      *ServicePrivileges  `pulumi:"privileges,optional"`
	ReadOnly        *bool               `pulumi:"readOnly,optional"`
	Secrets         []ServiceSecretFile `pulumi:"secrets,optional"`
	StopGracePeriod *string             `pulumi:"stopGracePeriod,optional"`
	StopSignal      *string             `pulumi:"stopSignal,optional"`
	Sysctl          map[string]string   `pulumi:"sysctl,optional"`
	User            *string             `pulumi:"user,optional"`
}

// ServiceSecretFile is a secret that the container sees as a file.
type ServiceSecretFile struct {
	FileGID    *string `pulumi:"fileGid,optional"`
	FileMode   *int    `pulumi:"fileMode,optional"`
	FileName   string  `pulumi:"fileName"`
	FileUID    *string `pulumi:"fileUid,optional"`
	SecretID   string  `pulumi:"secretId"`
	SecretName *string `pulumi:"secretName,optional"`
}

// ServiceDNSConfig is the container's resolver configuration.
type ServiceDNSConfig struct {
	Nameservers []string `pulumi:"nameservers"`
	Options     []string `pulumi:"options,optional"`
	Searches    []string `pulumi:"searches,optional"`
}

// ServiceHealthcheck is the command that tells whether a task is well. A task counts as running,
// and gets into DNS, only when it has passed.
type ServiceHealthcheck struct {
	Interval    *string  `pulumi:"interval,optional"`
	Retries     *int     `pulumi:"retries,optional"`
	StartPeriod *string  `pulumi:"startPeriod,optional"`
	Tests       []string `pulumi:"tests,optional"`
	Timeout     *string  `pulumi:"timeout,optional"`
}

// ServiceMount is one mount of the container.
type ServiceMount struct {
	BindOptions   *ContainerMountBindOptions  `pulumi:"bindOptions,optional"`
	ReadOnly      *bool                       `pulumi:"readOnly,optional"`
	Source        *string                     `pulumi:"source,optional"`
	Target        string                      `pulumi:"target"`
	TmpfsOptions  *ContainerMountTmpfsOptions `pulumi:"tmpfsOptions,optional"`
	Type          string                      `pulumi:"type"`
	VolumeOptions *ServiceVolumeOptions       `pulumi:"volumeOptions,optional"`
}

// ServiceVolumeOptions are the options of a volume mount.
type ServiceVolumeOptions struct {
	DriverName    *string           `pulumi:"driverName,optional"`
	DriverOptions map[string]string `pulumi:"driverOptions,optional"`
	Labels        []Label           `pulumi:"labels,optional"`
	NoCopy        *bool             `pulumi:"noCopy,optional"`
}

// ServicePrivileges are security options of the container.
type ServicePrivileges struct {
	SELinuxContext *ServiceSELinuxContext `pulumi:"seLinuxContext,optional"`
}

// ServiceSELinuxContext is the container's SELinux label.
type ServiceSELinuxContext struct {
	Disable *bool   `pulumi:"disable,optional"`
	Level   *string `pulumi:"level,optional"`
	Role    *string `pulumi:"role,optional"`
	Type    *string `pulumi:"type,optional"`
	User    *string `pulumi:"user,optional"`
}

// ServiceLogDriver is where the output of the tasks goes.
type ServiceLogDriver struct {
	Name    string            `pulumi:"name"`
	Options map[string]string `pulumi:"options,optional"`
}

// ServiceNetwork attaches every task to a network.
type ServiceNetwork struct {
	Aliases    []string `pulumi:"aliases,optional"`
	DriverOpts []string `pulumi:"driverOpts,optional"`
	ID         *string  `pulumi:"id,optional"`
}

// ServicePlacement says on which nodes tasks may run.
type ServicePlacement struct {
	Constraints []string          `pulumi:"constraints,optional"`
	MaxReplicas *int              `pulumi:"maxReplicas,optional"`
	Platforms   []ServicePlatform `pulumi:"platforms,optional"`
	Prefs       []string          `pulumi:"prefs,optional"`
}

// ServicePlatform is one platform that the image can run on.
type ServicePlatform struct {
	Architecture string `pulumi:"architecture"`
	OS           string `pulumi:"os"`
}

// ServiceResources are what a task may use at most, and what a node must have free for it.
type ServiceResources struct {
	Limits      *ServiceAmounts `pulumi:"limits,optional"`
	Reservation *ServiceAmounts `pulumi:"reservation,optional"`
}

// ServiceAmounts are an amount of memory and of CPU time.
type ServiceAmounts struct {
	MemoryBytes *int `pulumi:"memoryBytes,optional"`
	NanoCPUs    *int `pulumi:"nanoCpus,optional"`
}

// ServiceRestartPolicy says when an ended task is followed by a new one.
type ServiceRestartPolicy struct {
	Condition   *string `pulumi:"condition,optional"`
	Delay       *string `pulumi:"delay,optional"`
	MaxAttempts *int    `pulumi:"maxAttempts,optional"`
	Window      *string `pulumi:"window,optional"`
}

// Annotate gives the type its official token.
func (*ServiceConvergeConfig) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceConvergeConfig", "ServiceConvergeConfig")
}

// Annotate gives the type its official token.
func (*ServiceEndpointSpec) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceEndpointSpec", "ServiceEndpointSpec")
}

// Annotate gives the type its official token.
func (*ServicePort) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceEndpointSpecPort", "ServiceEndpointSpecPort")
}

// Annotate gives the type its official token.
func (*ServiceMode) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceMode", "ServiceMode")
}

// Annotate gives the type its official token.
func (*ServiceReplicated) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceModeReplicated", "ServiceModeReplicated")
}

// Annotate gives the type its official token.
func (*ServiceUpdateConfig) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceUpdateConfig", "ServiceUpdateConfig")
}

// Annotate gives the type its official token.
func (*ServiceTaskSpec) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpec", "ServiceTaskSpec")
}

// Annotate gives the type its official token.
func (*ServiceContainerSpec) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpec", "ServiceTaskSpecContainerSpec")
}

// Annotate gives the type its official token.
func (*ServiceSecretFile) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecSecret", "ServiceTaskSpecContainerSpecSecret")
}

// Annotate gives the type its official token.
func (*ServiceDNSConfig) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecDnsConfig", "ServiceTaskSpecContainerSpecDnsConfig")
}

// Annotate gives the type its official token.
func (*ServiceHealthcheck) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecHealthcheck", "ServiceTaskSpecContainerSpecHealthcheck")
}

// Annotate gives the type its official token.
func (*ServiceMount) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecMount", "ServiceTaskSpecContainerSpecMount")
}

// Annotate gives the type its official token.
func (*ServiceVolumeOptions) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecMountVolumeOptions", "ServiceTaskSpecContainerSpecMountVolumeOptions")
}

// Annotate gives the type its official token.
func (*ServicePrivileges) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecPrivileges", "ServiceTaskSpecContainerSpecPrivileges")
}

// Annotate gives the type its official token.
func (*ServiceSELinuxContext) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecContainerSpecPrivilegesSeLinuxContext", "ServiceTaskSpecContainerSpecPrivilegesSeLinuxContext")
}

// Annotate gives the type its official token.
func (*ServiceLogDriver) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecLogDriver", "ServiceTaskSpecLogDriver")
}

// Annotate gives the type its official token.
func (*ServiceNetwork) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecNetworksAdvanced", "ServiceTaskSpecNetworksAdvanced")
}

// Annotate gives the type its official token.
func (*ServicePlacement) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecPlacement", "ServiceTaskSpecPlacement")
}

// Annotate gives the type its official token.
func (*ServicePlatform) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecPlacementPlatform", "ServiceTaskSpecPlacementPlatform")
}

// Annotate gives the type its official token.
func (*ServiceResources) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecResources", "ServiceTaskSpecResources")
}

// Annotate gives the type its official token.
func (*ServiceAmounts) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecResourcesLimits", "ServiceTaskSpecResourcesLimits")
}

// Annotate gives the type its official token.
func (*ServiceRestartPolicy) Annotate(a infer.Annotator) {
	a.SetToken("index/ServiceTaskSpecRestartPolicy", "ServiceTaskSpecRestartPolicy")
}

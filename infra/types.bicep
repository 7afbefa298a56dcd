// Types of module parameters, where a string or a number says too little.

@description('The tags of all resources that can have tags.')
@export()
type Tags = {
  @description('A tag by its name. azd finds its resources by azd-env-name.')
  *: string
}

@description('Settings of the function app; they may contain a certificate or a key.')
@secure()
@export()
type Settings = {
  @description('A setting by its name.')
  *: string
}

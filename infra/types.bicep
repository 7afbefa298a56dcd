// What one module hands to another, where a string or a number says too little.

@description('The tags of everything that has some.')
@export()
type Tags = {
  @description('A tag, by its name. azd finds what it has made by azd-env-name.')
  *: string
}

@description('Settings of the function app; a certificate or a key may be among them.')
@secure()
@export()
type Settings = {
  @description('A setting, by its name.')
  *: string
}

"""Data that earlier versions wrote to storage and SharePoint."""

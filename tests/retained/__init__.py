"""What earlier versions left in storage and in SharePoint, as they themselves wrote it."""
